/**
 * What is left to give back of a paid order, component by component: each line's net and tax, shipping and its tax.
 *
 * Law: any sequence of partial refunds and cancellations that ends in everything refunds per component exactly what
 * was captured. It holds because each refund is taken out of what the ones before it left, never out of the original.
 */
import { E, integer, type TypeOf, text, variant } from '@everfold/core'
import type { CurrencyCode } from './currency.ts'
import { AnyMoney, allocate, type Money, proportion } from './money.ts'
import type { LineId } from './quantities.ts'

/** `net:{lineId}`, `tax:{lineId}`, `shipping` or `shippingTax`; unique within an order. */
export const ComponentId = text('ComponentId', { maxLength: 80 })
export type ComponentId = TypeOf<typeof ComponentId>

/** The units and the amount of one component that were paid and not yet given back; never negative. */
export interface Component<Code extends CurrencyCode> {
  readonly id: ComponentId
  readonly units: number
  readonly amount: Money<Code>
}

export interface Refund<Code extends CurrencyCode> {
  /** What is given back, in the order of the components; components that give nothing included. */
  readonly parts: ReadonlyArray<Money<Code>>
  readonly left: ReadonlyArray<Component<Code>>
}

export const UnitsExceedOutstanding = variant('UnitsExceedOutstanding', {
  component: ComponentId,
  requested: integer('Requested', 0),
  outstanding: integer('Outstanding', 0),
})
export type UnitsExceedOutstanding = TypeOf<typeof UnitsExceedOutstanding>

export const AmountExceedsOutstanding = variant('AmountExceedsOutstanding', {
  requested: AnyMoney,
  outstanding: AnyMoney,
})
export type AmountExceedsOutstanding = TypeOf<typeof AmountExceedsOutstanding>

/** Gives back so many units of each component named: their proportion of what is left, rounded half up. */
export const refundUnits = <Code extends CurrencyCode>(
  components: ReadonlyArray<Component<Code>>,
  units: ReadonlyMap<string, number>,
): E.Either<UnitsExceedOutstanding, Refund<Code>> => {
  const parts: Array<Money<Code>> = []
  for (const component of components) {
    const requested = units.get(component.id) ?? 0
    if (requested > component.units)
      return E.left({
        _tag: 'UnitsExceedOutstanding',
        component: component.id,
        requested,
        outstanding: component.units,
      } as UnitsExceedOutstanding)
    // Nothing of nothing is nothing: a component whose units are all returned has no proportion.
    parts.push(proportion(component.amount, requested, Math.max(component.units, 1), 'half-up'))
  }
  return E.right({
    parts,
    left: components.map((component, index) =>
      without(component, units.get(component.id) ?? 0, parts[index]?.amount ?? 0),
    ),
  })
}

/** Gives back an amount without units (a gesture), spread over the components by what is left of each. */
export const refundAmount = <Code extends CurrencyCode>(
  components: ReadonlyArray<Component<Code>>,
  requested: Money<Code>,
): E.Either<AmountExceedsOutstanding, Refund<Code>> => {
  const outstanding = components.reduce((total, { amount }) => total + amount.amount, 0)
  const tooMuch = E.left({
    _tag: 'AmountExceedsOutstanding' as const,
    requested: { amount: requested.amount, currency: requested.currency },
    outstanding: { amount: outstanding, currency: requested.currency },
  } as AmountExceedsOutstanding)
  if (requested.amount < 0 || requested.amount > outstanding) return tooMuch
  const weights = components.map(({ id, amount }) => ({
    lineId: id as string as LineId,
    weight: amount.amount,
  }))
  const shares = allocate(requested, weights)
  if (E.isLeft(shares)) return tooMuch
  const parts = shares.right.map(({ share }) => share)
  return E.right({
    parts,
    left: components.map((component, index) => without(component, 0, parts[index]?.amount ?? 0)),
  })
}

/** Gives back all that is left. */
export const refundRest = <Code extends CurrencyCode>(
  components: ReadonlyArray<Component<Code>>,
): Refund<Code> => ({
  parts: components.map(({ amount }) => amount),
  left: components.map((component) => without(component, component.units, component.amount.amount)),
})

const without = <Code extends CurrencyCode>(
  component: Component<Code>,
  units: number,
  amount: number,
): Component<Code> => ({
  ...component,
  units: component.units - units,
  amount: { ...component.amount, amount: component.amount.amount - amount } as Money<Code>,
})
