/**
 * The order which every contender keeps, as plain types and pure functions.
 *
 * One definition for all, so that a ratio compares libraries and not domains. The state has the same
 * size after ten events as after ten thousand (there are four goods), so the cost of a fold is the
 * number of its events. An event is `{ type, data }` because two of the peers ask for exactly that; a
 * contender whose events look otherwise calls `placeOrder` and `addItem` from its own switch.
 */

// Events

/** An order came into being. */
export type OrderPlaced = {
  readonly customerId: string
  readonly currency: string
}

/** Units of one good were put on the order, at a price in minor units for each. */
export type ItemAdded = {
  readonly sku: string
  readonly quantity: number
  readonly priceMinor: number
}

export type OrderEvent =
  | { readonly type: 'OrderPlaced'; readonly data: OrderPlaced }
  | { readonly type: 'ItemAdded'; readonly data: ItemAdded }

// State

export type Order = {
  readonly placed: boolean
  readonly customerId: string
  readonly units: number
  readonly totalMinor: number
  readonly unitsBySku: Readonly<Record<string, number>>
}

export const initial: Order = { placed: false, customerId: '', units: 0, totalMinor: 0, unitsBySku: {} }

export const placeOrder = (order: Order, { customerId }: OrderPlaced): Order => ({
  placed: true,
  customerId,
  units: order.units,
  totalMinor: order.totalMinor,
  unitsBySku: order.unitsBySku,
})

export const addItem = (order: Order, { sku, quantity, priceMinor }: ItemAdded): Order => ({
  placed: order.placed,
  customerId: order.customerId,
  units: order.units + quantity,
  totalMinor: order.totalMinor + quantity * priceMinor,
  unitsBySku: { ...order.unitsBySku, [sku]: (order.unitsBySku[sku] ?? 0) + quantity },
})

export const evolve = (order: Order, event: OrderEvent): Order => {
  switch (event.type) {
    case 'OrderPlaced':
      return placeOrder(order, event.data)
    case 'ItemAdded':
      return addItem(order, event.data)
  }
}

// Commands

/** The one command that is measured; `commandId` names the intention of its caller. */
export type AddItem = {
  readonly commandId: string
  readonly orderId: string
  readonly sku: string
  readonly quantity: number
  readonly priceMinor: number
}

// Rejections

/** More units than this fit on no order; the benchmark's streams stay far below it. */
const unitsLimit = 1_000_000

export type OrderRejection = 'OrderNotPlaced' | 'TooManyUnits'

export const refuse = ({ quantity }: Pick<AddItem, 'quantity'>, order: Order): OrderRejection | undefined => {
  if (!order.placed) return 'OrderNotPlaced'
  if (order.units + quantity > unitsLimit) return 'TooManyUnits'
  return undefined
}

/** What the command adds. Throws the rejection, which is how all the peers let a handler say no. */
export const decide = (command: AddItem, order: Order): ItemAdded => {
  const rejection = refuse(command, order)
  if (rejection !== undefined) throw new Error(rejection)
  return { sku: command.sku, quantity: command.quantity, priceMinor: command.priceMinor }
}

// The histories and commands that every contender is given

const skus = ['apple', 'bread', 'cheese', 'dates'] as const

const skuOf = (n: number): string => skus[n % skus.length] ?? skus[0]

export const orderIdOf = (stream: number): string => `order-${stream}`

/** A history of exactly `length` events, of fresh objects: no two streams share one, as no two real ones do. */
export const historyOf = (stream: number, length: number): Array<OrderEvent> =>
  Array.from({ length }, (_, n) =>
    n === 0
      ? { type: 'OrderPlaced', data: { customerId: `customer-${stream}`, currency: 'EUR' } }
      : { type: 'ItemAdded', data: { sku: skuOf(n), quantity: 1 + (n % 3), priceMinor: 100 + (n % 7) } },
  )

/** When the first command of every stream was made, in milliseconds since 1970: the first of January 2026. */
export const begunAtMs = 1_767_225_600_000

/** The id of the command that led to the event at `position` of a stream: a ULID, each a millisecond after the last. */
export const commandIdOf = (stream: number, position: number): string =>
  [crockford(begunAtMs + position, 10), crockford(stream, 16)].join('')

/** Joined from its digits, so that it is one flat string in memory, as one that came in from outside is. */
const crockford = (n: number, length: number): string =>
  Array.from(
    { length },
    (_, digit) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[Math.floor(n / 32 ** (length - 1 - digit)) % 32],
  ).join('')

/** The command that is measured on a stream of `length` events. */
export const commandOf = (stream: number, length: number): AddItem => ({
  commandId: commandIdOf(stream, length),
  orderId: orderIdOf(stream),
  sku: skuOf(length),
  quantity: 2,
  priceMinor: 250,
})
