import { E } from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Currency, Money, Pricing, Quantities } from '@everfold/ecommerce'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'

const { USD } = Currency.currencies
const IDS = ['a', 'b', 'c', 'd'].map(valid(Quantities.LineId))
const anyRounding = fc.constantFrom('half-up', 'half-even')
const anyParts = fc
  .array(
    fc.record({
      amount: fc.oneof(fc.nat(50), fc.integer({ min: 0, max: Money.MAX_AMOUNT })),
      quantity: fc.integer({ min: 1, max: 20 }),
      basisPoints: fc.oneof(fc.constantFrom(0, 5000, 10_000), fc.integer({ min: 0, max: 10_000 })),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) =>
    parts.map(({ amount, quantity, basisPoints }, index) => ({
      lineId: IDS[index] as Quantities.LineId,
      amount: Money.money(USD, amount as Money.Amount),
      quantity,
      basisPoints,
    })),
  )

/** Rounds `numerator / 10,000` as the words say. */
const rounded = (numerator: bigint, rounding: Money.Rounding): bigint => {
  const floor = numerator / 10_000n
  const twice = (numerator % 10_000n) * 2n
  const up = twice > 10_000n || (twice === 10_000n && (rounding === 'half-up' || floor % 2n === 1n))
  return up ? floor + 1n : floor
}
const exact = ({ amount, basisPoints }: Pricing.Part<'USD'>) => BigInt(amount.amount) * BigInt(basisPoints)
const asked = (
  parts: ReadonlyArray<Pricing.Part<'USD'>>,
  level: Pricing.RoundingLevel,
  rounding: Money.Rounding,
) => Pricing.percentages(USD, parts, { level, rounding }).map(({ amount }) => BigInt(amount))

describe('percentages', () => {
  property.prop([anyParts, fc.constantFrom('unit', 'line', 'order'), anyRounding])(
    'are never negative and never above the amount',
    (parts, level, rounding) => {
      for (const [index, share] of asked(parts, level, rounding).entries()) {
        expect(share).toBeGreaterThanOrEqual(0n)
        expect(share).toBeLessThanOrEqual(BigInt(parts[index]?.amount.amount ?? 0))
      }
    },
  )

  property.prop([anyParts, anyRounding])('per line are each the exact one, rounded', (parts, rounding) => {
    expect(asked(parts, 'line', rounding)).toEqual(parts.map((part) => rounded(exact(part), rounding)))
  })

  property.prop([anyParts, anyRounding])(
    'per order add up to the exact sum, rounded, and are each within a minor unit',
    (parts, rounding) => {
      const shares = asked(parts, 'order', rounding)
      const sum = parts.reduce((total, part) => total + exact(part), 0n)
      expect(shares.reduce((total, share) => total + share, 0n)).toBe(rounded(sum, rounding))
      for (const [index, share] of shares.entries()) {
        const off = share * 10_000n - exact(parts[index] as Pricing.Part<'USD'>)
        expect(off < 10_000n && -off < 10_000n).toBe(true)
      }
    },
  )

  property.prop([anyParts, anyRounding])('per unit are those of the units', (parts, rounding) => {
    const units = parts.map(({ amount: { amount }, quantity, basisPoints }) => {
      const each = Array.from({ length: quantity }, (_, unit) => {
        const dearer = unit < amount % quantity ? 1 : 0
        return BigInt(Math.floor(amount / quantity) + dearer) * BigInt(basisPoints)
      })
      return each.reduce((total, unit) => total + rounded(unit, rounding), 0n)
    })
    expect(asked(parts, 'unit', rounding)).toEqual(units)
  })
})

const price = (unitPrice: number, quantity: number, discount: Pricing.Discount) =>
  Pricing.priceLines(
    USD,
    [
      {
        lineId: IDS[0] as Quantities.LineId,
        quantity: quantity as Quantities.Units,
        unitPrice: unitPrice as Money.Price,
        discount,
      },
    ],
    Pricing.perLineHalfUp,
  )

describe('priced lines', () => {
  const off = valid(Pricing.Discount)

  test('the net is what is rounded: 5 % off 10.50 is 9.98, not 9.97', () => {
    const priced = price(1050, 1, off({ _tag: 'PercentOff', basisPoints: 500 }))
    expect(priced).toMatchObject(
      E.right([{ gross: { amount: 1050 }, discount: { amount: 52 }, net: { amount: 998 } }]),
    )
  })
  test('an amount off is of the line, and never more than it is worth', () => {
    expect(price(500, 2, off({ _tag: 'AmountOff', amount: 300 }))).toMatchObject(
      E.right([{ net: { amount: 700 } }]),
    )
    expect(price(500, 2, off({ _tag: 'AmountOff', amount: 1001 }))).toMatchObject(
      E.right([{ net: { amount: 0 } }]),
    )
  })
  test('a line beyond fifteen digits is refused', () => {
    expect(price(Money.MAX_AMOUNT, 2, off({ _tag: 'PercentOff', basisPoints: 10_000 }))).toEqual(
      E.left({ _tag: 'AmountTooLarge', currency: 'USD' }),
    )
  })
})
