import { E } from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Currency, Money, Quantities, Refund, StripeAmount } from '@everfold/ecommerce'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { Draw, everyCurrency, million, PATIENCE_MS } from './draw.ts'

const { currencies, CURRENCY_CODES } = Currency
const amount = valid(Money.Amount)
const lineId = valid(Quantities.LineId)
const usd = (cents: number) => Money.money(currencies.USD, amount(cents))
const right = <A>(either: E.Either<unknown, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

const IDS = Array.from({ length: 6 }, (_, index) => lineId(`line-${index}`))
const drawWeights = (draw: Draw): Array<Money.Weight> => {
  const lines = 1 + draw.below(6)
  const max = draw.below(4) === 0 ? 3 : 1_000_000_000_000
  return IDS.slice(0, lines).map((id) => ({ lineId: id, weight: draw.size(max) }))
}
const show = (...values: ReadonlyArray<unknown>) => JSON.stringify(values)

describe('the laws of money', () => {
  property.prop([fc.integer()], million)(
    'M1 the shares of allocate(total, weights) add up to total, for every total (also negative), weights and exponent',
    (seed) => {
      everyCurrency(seed, (currency, draw) => {
        const total = Money.money(currency, draw.amount())
        const weights = drawWeights(draw)
        const shares = Money.allocate(total, weights)
        if (E.isLeft(shares))
          return total.amount !== 0 && weights.every(({ weight }) => weight === 0)
            ? undefined
            : show(total, weights)
        let added = 0
        for (const { share } of shares.right) added += share.amount
        return added === total.amount ? undefined : show(total, weights, shares.right)
      })
    },
    PATIENCE_MS,
  )

  property.prop([fc.integer()], million)(
    'M2 each share has the sign of the total and differs from the exact one by less than a minor unit; zero weight, zero share',
    (seed) => {
      everyCurrency(seed, (currency, draw) => {
        const total = Money.money(currency, draw.amount())
        const weights = drawWeights(draw)
        const shares = Money.allocate(total, weights)
        if (E.isLeft(shares)) return undefined
        const whole = BigInt(weights.reduce((sum, { weight }) => sum + weight, 0))
        for (const [index, { share }] of shares.right.entries()) {
          const weight = weights[index]?.weight ?? 0
          const off = BigInt(share.amount) * whole - BigInt(total.amount) * BigInt(weight)
          const near = whole === 0n || (off < whole && -off < whole)
          const signed = share.amount === 0 || Math.sign(share.amount) === Math.sign(total.amount)
          if (!near || !signed || (weight === 0 && share.amount !== 0) || Object.is(share.amount, -0))
            return show(total, weights, shares.right)
        }
        return undefined
      })
    },
    PATIENCE_MS,
  )

  property.prop([fc.integer()], million)(
    'M3 permuting lines permutes shares; ties break by line id',
    (seed) => {
      everyCurrency(seed, (currency, draw) => {
        const total = Money.money(currency, draw.amount())
        const weights = drawWeights(draw)
        const permuted = [...weights]
        for (let index = permuted.length - 1; index > 0; index -= 1) {
          const other = draw.below(index + 1)
          const moved = permuted[index] as Money.Weight
          permuted[index] = permuted[other] as Money.Weight
          permuted[other] = moved
        }
        const shares = Money.allocate(total, weights)
        const again = Money.allocate(total, permuted)
        if (E.isLeft(shares) || E.isLeft(again))
          return shares._tag === again._tag ? undefined : show(total, weights)
        for (const [index, { lineId: id, share }] of shares.right.entries()) {
          const same = again.right.find((other) => other.lineId === id)
          if (same?.share.amount !== share.amount) return show(total, weights, permuted)
          // IDS are in order: of equal weights, an earlier line never has less.
          for (let before = 0; before < index; before += 1)
            if (
              weights[before]?.weight === weights[index]?.weight &&
              Math.abs(shares.right[before]?.share.amount ?? 0) < Math.abs(share.amount)
            )
              return show(total, weights, shares.right)
        }
        return undefined
      })
    },
    PATIENCE_MS,
  )

  property.prop([fc.integer()], million)(
    "M7 to Stripe's integer and back is the identity, or a typed rejection",
    (seed) => {
      everyCurrency(seed, ({ code: currency }, draw) => {
        const some = { amount: draw.amount(), currency }
        const there = StripeAmount.toStripe(some)
        if (E.isRight(there)) {
          const back = StripeAmount.fromStripe(there.right)
          if (E.isLeft(back) || back.right.amount !== some.amount || back.right.currency !== currency)
            return show(some, there, back)
        } else if (!StripeAmount.StripeAmountRejection.is(there.left)) return show(some, there)
        const theirs = { amount: draw.amount(), currency: currency.toLowerCase() }
        const here = StripeAmount.fromStripe(theirs)
        if (E.isLeft(here))
          return StripeAmount.StripeAmountRejection.is(here.left) ? undefined : show(theirs, here)
        const again = StripeAmount.toStripe(here.right)
        return E.isRight(again) &&
          again.right.amount === theirs.amount &&
          again.right.currency === theirs.currency
          ? undefined
          : show(theirs, here, again)
      })
    },
    PATIENCE_MS,
  )

  property.prop([fc.integer()], million)(
    'percent and proportion are exact before they are rounded',
    (seed) => {
      everyCurrency(seed, (currency, draw) => {
        const some = Money.money(currency, draw.amount())
        const basisPoints = draw.below(10_001)
        const rounding = draw.below(2) === 0 ? 'half-up' : 'half-even'
        const got = Money.percent(some, basisPoints, rounding).amount
        if (got !== exactly(some.amount, basisPoints, 10_000, rounding))
          return show(some, basisPoints, rounding, got)
        const whole = 1 + draw.size(1_000_000_000)
        const part = draw.below(whole + 1)
        const portion = Money.proportion(some, part, whole, rounding).amount
        return portion === exactly(some.amount, part, whole, rounding)
          ? undefined
          : show(some, part, whole, rounding, portion)
      })
    },
    PATIENCE_MS,
  )
})

/** The oracle: rationals of BigInt, rounded as the words say. */
const exactly = (size: number, part: number, whole: number, rounding: Money.Rounding): number => {
  const product = BigInt(Math.abs(size)) * BigInt(part)
  const floor = product / BigInt(whole)
  const twice = (product % BigInt(whole)) * 2n
  const up =
    twice > BigInt(whole) || (twice === BigInt(whole) && (rounding === 'half-up' || floor % 2n === 1n))
  const rounded = Number(up ? floor + 1n : floor)
  return size < 0 && rounded !== 0 ? -rounded : rounded
}

const REFUND_SEQUENCES_PER_SEED = 1_000

describe('refunds', () => {
  property.prop([fc.integer()], million)(
    'M5 any sequence of partial refunds and cancellations that ends in everything refunds per component exactly what was captured',
    (seed) => {
      const draw = new Draw(seed)
      for (let index = 0; index < REFUND_SEQUENCES_PER_SEED; index += 1) {
        const captured = drawComponents(draw)
        const refunded = captured.map(() => 0)
        const give = ({ parts }: Refund.Refund<'USD'>) => {
          for (const [at, part] of parts.entries()) {
            if (part.amount < 0) throw new Error(`a negative refund of ${show(captured)}`)
            refunded[at] = (refunded[at] ?? 0) + part.amount
          }
        }
        let left: ReadonlyArray<Refund.Component<'USD'>> = captured
        for (let steps = draw.below(6); steps > 0; steps -= 1) {
          const refund = drawRefund(draw, left)
          give(refund)
          left = refund.left
        }
        // Everything: what is left is either canceled at once or returned unit by unit.
        for (const refund of draw.below(2) === 0 ? [Refund.refundRest(left)] : unitByUnit(left)) {
          give(refund)
          left = refund.left
        }
        const exact = captured.every(({ amount: paid }, at) => refunded[at] === paid.amount)
        const nothing = left.every(({ units, amount: rest }) => units === 0 && rest.amount === 0)
        if (!exact || !nothing) throw new Error(show(captured, refunded, left))
      }
    },
    PATIENCE_MS,
  )
})

const drawComponents = (draw: Draw): ReadonlyArray<Refund.Component<'USD'>> =>
  IDS.slice(0, 1 + draw.below(6)).map((id) => ({
    id: id as string as Refund.ComponentId,
    units: 1 + draw.below(5),
    amount: usd(draw.size(1_000_000_000_000)),
  }))

const drawRefund = (draw: Draw, left: ReadonlyArray<Refund.Component<'USD'>>): Refund.Refund<'USD'> => {
  if (draw.below(2) === 0) {
    const outstanding = left.reduce((sum, component) => sum + component.amount.amount, 0)
    return right(Refund.refundAmount(left, usd(draw.below(outstanding + 1))))
  }
  return right(Refund.refundUnits(left, new Map(left.map(({ id, units }) => [id, draw.below(units + 1)]))))
}

function* unitByUnit(components: ReadonlyArray<Refund.Component<'USD'>>) {
  let left = components
  for (const { id, units } of components)
    for (let unit = 0; unit < units; unit += 1) {
      const refund = right(Refund.refundUnits(left, new Map([[id, 1]])))
      left = refund.left
      yield refund
    }
}

describe('refusing a refund', () => {
  const component = { id: valid(Refund.ComponentId)('net:l-1'), units: 2, amount: usd(500) }

  test('more units than are left is refused, saying what is left', () => {
    expect(Refund.refundUnits([component], new Map([['net:l-1', 3]]))).toEqual(
      E.left({ _tag: 'UnitsExceedOutstanding', component: 'net:l-1', requested: 3, outstanding: 2 }),
    )
  })

  test.each([501, -1])('an amount of %i out of 500 is refused, saying what is left', (cents) => {
    expect(Refund.refundAmount([component], usd(cents))).toEqual(
      E.left({
        _tag: 'AmountExceedsOutstanding',
        requested: { amount: cents, currency: 'USD' },
        outstanding: { amount: 500, currency: 'USD' },
      }),
    )
  })
})

describe('M6 adding two currencies does not type-check', () => {
  const dollars = usd(100)
  const euros = Money.money(currencies.EUR, amount(100))
  const any: Money.AnyMoney = dollars

  test('one currency adds, and stays itself', () => {
    expect(Money.add(dollars, dollars)).toEqual(E.right({ amount: 200, currency: 'USD' }))
    expectTypeOf(Money.add(dollars, dollars)).toEqualTypeOf<
      E.Either<Money.AmountTooLarge, Money.Money<'USD'>>
    >()
  })

  test('two currencies do not, nor one that is known only at run time', () => {
    // @ts-expect-error dollars and euros
    Money.add(dollars, euros)
    // @ts-expect-error dollars and whatever it is
    Money.add(dollars, any)
    // @ts-expect-error whatever it is, twice
    Money.subtract(any, any)
    // @ts-expect-error dollars and euros
    Money.compare(dollars, euros)
    // @ts-expect-error a sum of dollars has no euros
    Money.sum(currencies.USD, [dollars, euros])
    // @ts-expect-error a code known at run time is no witness
    Money.zero(currencies[any.currency])
    expect(any.currency).toBe('USD')
  })

  test('a currency known at run time is narrowed, or the difference is told', () => {
    expect(Money.within(currencies.USD, any)).toEqual(E.right(dollars))
    expect(Money.within(currencies.EUR, any)).toEqual(
      E.left({ _tag: 'CurrencyDiffers', expected: 'EUR', actual: 'USD' }),
    )
    const doubled = Currency.inCurrency(any.currency, (currency): E.Either<unknown, Money.AnyMoney> => {
      const narrowed = Money.within(currency, any)
      return E.isLeft(narrowed) ? narrowed : Money.add(narrowed.right, narrowed.right)
    })
    expect(doubled).toEqual(E.right({ amount: 200, currency: 'USD' }))
  })
})

describe('rounding', () => {
  test.each([
    { cents: 1, basisPoints: 5000, up: 1, even: 0 },
    { cents: 3, basisPoints: 5000, up: 2, even: 2 },
    { cents: 5, basisPoints: 5000, up: 3, even: 2 },
    { cents: -5, basisPoints: 5000, up: -3, even: -2 },
    { cents: 105, basisPoints: 1000, up: 11, even: 10 },
    { cents: 104, basisPoints: 1000, up: 10, even: 10 },
    { cents: 999_999_999_999_999, basisPoints: 9999, up: 999_899_999_999_999, even: 999_899_999_999_999 },
    { cents: 0, basisPoints: 5000, up: 0, even: 0 },
  ])(
    '$basisPoints basis points of $cents: $up half up, $even half even',
    ({ cents, basisPoints, up, even }) => {
      expect(Money.percent(usd(cents), basisPoints, 'half-up')).toEqual(usd(up))
      expect(Money.percent(usd(cents), basisPoints, 'half-even')).toEqual(usd(even))
    },
  )
})

describe('beyond fifteen digits', () => {
  const most = usd(Money.MAX_AMOUNT)
  const tooLarge = E.left({ _tag: 'AmountTooLarge', currency: 'USD' })

  test('is refused, never rounded', () => {
    expect(Money.add(most, usd(1))).toEqual(tooLarge)
    expect(Money.subtract(usd(-1), most)).toEqual(tooLarge)
    expect(Money.sum(currencies.USD, [most, most])).toEqual(tooLarge)
    expect(Money.multiply(most, 1_000_000)).toEqual(tooLarge)
    expect(Money.multiply(usd(-1), 5)).toEqual(E.right(usd(-5)))
    expect(Money.negate(most)).toEqual(usd(-Money.MAX_AMOUNT))
  })
})

describe('allocating', () => {
  const weights = [
    { lineId: lineId('b'), weight: 1 },
    { lineId: lineId('a'), weight: 1 },
    { lineId: lineId('c'), weight: 1 },
  ]
  const shares = (cents: number) =>
    right(Money.allocate(usd(cents), weights)).map(({ lineId: id, share }) => [id, share.amount])

  test('gives the cent left over to the smallest line id', () => {
    expect(shares(100)).toEqual([
      ['b', 33],
      ['a', 34],
      ['c', 33],
    ])
    expect(shares(-100)).toEqual([
      ['b', -33],
      ['a', -34],
      ['c', -33],
    ])
  })

  test('gives it to the largest remainder before it asks for ids', () => {
    const claims = [
      { lineId: lineId('a'), weight: 1 },
      { lineId: lineId('b'), weight: 2 },
    ]
    expect(right(Money.allocate(usd(100), claims)).map(({ share }) => share.amount)).toEqual([33, 67])
  })

  test('to no one is refused, unless there is nothing', () => {
    expect(Money.allocate(usd(1), [])).toEqual(E.left({ _tag: 'NothingToWeigh', currency: 'USD' }))
    expect(Money.allocate(usd(0), [])).toEqual(E.right([]))
  })
})

describe("Stripe's integers", () => {
  test.each([
    ['USD', 1050, { amount: 1050, currency: 'usd' }],
    ['JPY', 500, { amount: 500, currency: 'jpy' }],
    ['ISK', 5, { amount: 500, currency: 'isk' }],
    ['UGX', 5, { amount: 500, currency: 'ugx' }],
    ['MGA', 500, { amount: 5, currency: 'mga' }],
    ['KWD', 5120, { amount: 5120, currency: 'kwd' }],
  ] as const)('%s %i', (currency, minor, stripe) => {
    const some = { amount: amount(minor), currency }
    expect(StripeAmount.toStripe(some)).toEqual(E.right(stripe))
    expect(StripeAmount.fromStripe(stripe)).toEqual(E.right(some))
  })

  test.each([
    ['MGA', 520, { _tag: 'AmountTooFine', currency: 'MGA', amount: 520, step: 100 }],
    ['KWD', 5124, { _tag: 'AmountTooFine', currency: 'KWD', amount: 5124, step: 10 }],
    ['UGX', Money.MAX_AMOUNT, { _tag: 'AmountTooLarge', currency: 'UGX' }],
    ['CLF', 1, { _tag: 'CurrencyNotAtStripe', currency: 'CLF' }],
  ] as const)('%s %i has none', (currency, minor, rejection) => {
    expect(StripeAmount.toStripe({ amount: amount(minor), currency })).toEqual(E.left(rejection))
  })

  test.each([
    ['isk', 550, { _tag: 'AmountTooFine', currency: 'ISK', amount: 550, step: 100 }],
    ['bhd', 5, { _tag: 'AmountTooFine', currency: 'BHD', amount: 5, step: 10 }],
    ['xyz', 5, { _tag: 'CurrencyNotAtStripe', currency: 'xyz' }],
    ['usd', 0.5, { _tag: 'AmountTooLarge', currency: 'USD' }],
  ] as const)('%s %d of Stripe is no amount of ours', (currency, units, rejection) => {
    expect(StripeAmount.fromStripe({ amount: units, currency })).toEqual(E.left(rejection))
  })
})

describe('the currency table', () => {
  test('holds every active code with a minor unit', () => {
    const counts = CURRENCY_CODES.map((code) => currencies[code].exponent)
    const having = (exponent: number) => counts.filter((other) => other === exponent).length
    expect([0, 2, 3, 4].map(having)).toEqual([17, 139, 7, 2])
    expect(CURRENCY_CODES.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true)
  })

  test('version 1 is what it was', () => {
    expect(Currency.CURRENCY_TABLE_VERSION).toBe(1)
    expect(currencies.USD).toEqual({ code: 'USD', exponent: 2 })
    expect([currencies.ISK.exponent, currencies.MGA.exponent, currencies.IQD.exponent]).toEqual([0, 2, 3])
  })
})

describe('the wire', () => {
  test('money, as once stored, still decodes', () => {
    expect(Money.AnyMoney.decode({ amount: -1250, currency: 'EUR' })).toEqual(
      E.right({ amount: -1250, currency: 'EUR' }),
    )
  })
  test.each([
    { amount: 0.5, currency: 'EUR' },
    { amount: 1, currency: 'DEM' },
    { amount: 1e15, currency: 'EUR' },
  ])('%o is no money', (input) => {
    expect(E.isLeft(Money.AnyMoney.decode(input))).toBe(true)
  })
})
