import { E, fold, processAggregate, streamName } from '@everfold/core'
import { anyContext, arbitrary, givenHeard, happened, laws, recordedOf, valid } from '@everfold/core/testing'
import { Cart, CartMerge, type Quantities } from '@everfold/ecommerce'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { commandsOf } from './order-life.ts'
import { redelivered } from './provider.ts'

type Told = Parameters<typeof CartMerge.evolve>[1]

const event = valid(Cart.CartEvent)
const price = { unitAmount: 500, currency: 'USD', taxClass: 'standard', priceListVersion: 1, capturedAtMs: 0 }
const line = { sku: 'tea', quantity: 2, price, changedAtMs: 0 }

const closed = (from: string, into: string): Told => {
  const [recorded] = recordedOf(
    Cart.aggregate,
    from,
  )(event({ _tag: 'CartMergedAway', from, into, policy: 'sum', lines: [line] }))
  if (recorded === undefined) throw new Error('one event')
  return happened(recorded)
}
const refused = (by: string, rejection: object): Told => ({
  _tag: 'Refused',
  commandId: anyContext.commandId,
  stream: streamName('cart', by),
  rejection: valid(Cart.CartRejection)(rejection),
})
const mergedAway = (by: string, mergedInto: string) =>
  refused(by, { _tag: 'CartClosed', status: 'merged', mergedInto })
const merge = (into: string) => ({
  of: `cart/${into}`,
  command: { _tag: 'MergeCart', from: 'guest', policy: 'sum', lines: [line] },
})

const given = givenHeard(CartMerge.process)

describe('a cart that was closed in favour of another', () => {
  test('has its lines merged there', () => {
    expect(commandsOf(given().when(closed('guest', 'ann')))).toEqual([merge('ann')])
  })
  test('has them passed on where that one was merged away too', () => {
    const outputs = given(closed('guest', 'ann')).when(mergedAway('ann', 'annas'))
    expect(commandsOf(outputs)).toEqual([merge('annas')])
  })
  test('has them passed on no further where carts went into each other', () => {
    expect(given(closed('guest', 'ann')).when(mergedAway('ann', 'guest'))).toEqual([])
    const round = given(closed('guest', 'ann'), mergedAway('ann', 'annas'))
    expect(round.when(mergedAway('annas', 'ann'))).toEqual([])
  })
  test('is not passed on when it is refused for another reason', () => {
    const full = refused('ann', { _tag: 'CartFull', most: 500 })
    expect(given(closed('guest', 'ann')).when(full)).toEqual([])
    const bought = refused('ann', { _tag: 'CartClosed', status: 'checked_out', orderId: 'o-1' })
    expect(given(closed('guest', 'ann')).when(bought)).toEqual([])
  })
  test('is merged once, however often it is asked for', () => {
    const [asked] = commandsOf(given().when(closed('guest', 'ann')))
    const command = valid(Cart.CartCommand)(asked?.command)
    const owned = [event({ _tag: 'CartCreated', cartId: 'ann', owner: 'ann', currency: 'USD' })]
    const first = Cart.decide(command, fold(Cart.decider, owned), anyContext)
    if (E.isLeft(first)) throw new Error('refused')
    expect(first.right).toMatchObject([{ _tag: 'CartMerged', from: 'guest', added: [line] }])
    const after = fold(Cart.decider, [...owned, ...first.right])
    expect(Cart.decide(command, after, anyContext)).toEqual(E.right([]))
  })
})

const anyCart = fc.constantFrom('ann', 'annas', 'guest', 'bob')
const anyTold: fc.Arbitrary<Told> = fc.oneof(
  fc.constant(closed('guest', 'ann')),
  fc.tuple(anyCart, anyCart).map(([by, into]) => mergedAway(by, into)),
  arbitrary(Cart.CartRejection).map((rejection): Told => {
    const commandId = anyContext.commandId
    return { _tag: 'Refused', commandId, stream: streamName('cart', 'ann'), rejection }
  }),
  fc.constant<Told>({ _tag: 'Elapsed', timer: 'any', dueMs: 0 }),
)

describe('whatever is heard', () => {
  property.prop([fc.array(anyTold, { maxLength: 8 }).chain(redelivered)])(
    'in any order and with repetitions, each cart is asked at most once, never the closed one',
    (heard) => {
      let state = CartMerge.initial
      const asked = heard.flatMap((one) => {
        const before = state
        state = CartMerge.evolve(before, one)
        return commandsOf(CartMerge.react(before, state)).map(({ of }) => of)
      })
      expect(asked).toEqual([...new Set(asked)])
      expect(asked).not.toContain('cart/guest')
    },
  )
})

describe('it keeps the laws of aggregates', () => {
  const aggregate = processAggregate(CartMerge.process)
  const heard = anyTold.map((one) => ({ _tag: 'Heard' as const, heard: one }))
  test.each(laws(aggregate, { command: anyTold, event: heard }))('$title', async ({ check }) => {
    await expect(check(20)).resolves.toBeUndefined()
  })
})

test('only what closes a cart is heard, by the closed cart', () => {
  const [hearing] = CartMerge.process.hears
  const [recorded] = recordedOf(Cart.aggregate, 'guest')(event({ _tag: 'CartAbandoned' }))
  if (hearing === undefined || recorded === undefined) throw new Error('one of each')
  const heard = closed('guest', 'ann')
  expect(hearing.correlate(recorded)).toBeUndefined()
  expect(heard._tag === 'Happened' && hearing.correlate(heard.recorded)).toBe('guest' as Quantities.CartId)
})
