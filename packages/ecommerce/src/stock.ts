/**
 * Stock of one SKU at one location: units on hand, the reservations that hold some of them for a while, and the
 * allocations that promise them to paid orders until they are shipped.
 *
 * Stream `stock/{sku}` at the default location, `stock/{sku}@{location}` elsewhere.
 *
 * Invariants:
 * - K1 onHand = received + adjusted + restocked - shipped (and it is never below zero).
 * - K2 available = onHand - reserved - allocated >= -backorderLimit.
 * - K4 a reservation ends at most once (released, expired or allocated).
 * - K5 a shopper's own reservation never blocks that shopper.
 * - K6 two lines of one command on one item are checked against their sum.
 *
 * The state holds what is live and nothing that has ended, so it does not grow with the history. A command on a
 * reservation that is not live is therefore refused as unknown: how it ended is in the log, and a repeat of the
 * command that ended it is answered from the record before it comes here. An ended id may be reserved anew.
 */
import {
  accept,
  aggregate as aggregateOf,
  type Context,
  type Decider,
  type Decision,
  integer,
  list,
  record,
  reject,
  snapshotCodec,
  type TypeOf,
  union,
  variant,
} from '@everfold/core'
import { Map as PersistentMap } from 'immutable'
import {
  Count,
  type Location,
  OrderId,
  Reason,
  ReservationId,
  type Sku,
  TimeMs,
  Units,
  UnitsDelta,
  UserId,
} from './quantities.ts'

/** The id of an item's stream; `@` stands in no SKU, so it parses back. */
export const streamId = ({ sku, location }: { readonly sku: Sku; readonly location?: Location }): string =>
  location === undefined ? sku : `${sku}@${location}`

export const itemOf = (id: string): { readonly sku: Sku; readonly location?: Location } => {
  const [sku = '', location] = id.split('@')
  return location === undefined ? { sku: sku as Sku } : { sku: sku as Sku, location: location as Location }
}

/** Units of all lines of one reservation together. */
export const HeldUnits = integer('HeldUnits', 1, 1_000_000_000)
export type HeldUnits = TypeOf<typeof HeldUnits>

/** A sum over the whole life of an item; it may be negative. */
const Total = integer('Total')
type Total = TypeOf<typeof Total>

// Events. Stored forever: never rename, never remove; a new field needs a default.

export const StockEvent = union(
  'StockEvent',
  variant('StockReceived', { units: Units }),
  variant('StockAdjusted', { delta: UnitsDelta, reason: Reason }),
  variant(
    'StockReserved',
    {
      reservationId: ReservationId,
      orderId: OrderId,
      units: HeldUnits,
      /** How many of the units were not on hand when they were promised. */
      backordered: Count,
      expiresAtMs: TimeMs,
    },
    {
      shopper: UserId,
      /** The units of the live reservation of this id that it takes the place of. */
      replaces: HeldUnits,
    },
  ),
  variant('ReservationExtended', { reservationId: ReservationId, orderId: OrderId, expiresAtMs: TimeMs }),
  variant(
    'ReservationReleased',
    { reservationId: ReservationId, orderId: OrderId, units: HeldUnits },
    { reason: Reason, supersededBy: ReservationId },
  ),
  variant('ReservationExpired', { reservationId: ReservationId, orderId: OrderId, units: HeldUnits }),
  variant('StockAllocated', { reservationId: ReservationId, orderId: OrderId, units: HeldUnits }),
  variant('StockDeallocated', {
    reservationId: ReservationId,
    orderId: OrderId,
    units: HeldUnits,
    reason: Reason,
  }),
  variant('StockShipped', { reservationId: ReservationId, orderId: OrderId, units: HeldUnits }),
  variant('StockRestocked', { orderId: OrderId, units: Units }),
  variant('BackorderPolicySet', { limit: Count }),
  variant('StockDepleted', { available: Total }),
)
export type StockEvent = TypeOf<typeof StockEvent>

// State

export interface Reservation {
  readonly orderId: OrderId
  readonly shopper?: UserId
  readonly units: HeldUnits
  readonly expiresAtMs: TimeMs
}

export interface Allocation {
  readonly orderId: OrderId
  /** What is not yet shipped. */
  readonly units: HeldUnits
}

export interface StockItem {
  readonly received: number
  readonly adjusted: number
  readonly restocked: number
  readonly shipped: number
  /** The units of all live reservations. */
  readonly reserved: number
  /** The units of all live allocations. */
  readonly allocated: number
  readonly backorderLimit: number
  readonly reservations: PersistentMap<ReservationId, Reservation>
  readonly allocations: PersistentMap<ReservationId, Allocation>
  /** The live reservations of each owner, by id; derived from `reservations`. */
  readonly owned: PersistentMap<string, ReadonlyArray<ReservationId>>
}

export const initial: StockItem = {
  received: 0,
  adjusted: 0,
  restocked: 0,
  shipped: 0,
  reserved: 0,
  allocated: 0,
  backorderLimit: 0,
  reservations: PersistentMap(),
  allocations: PersistentMap(),
  owned: PersistentMap(),
}

/** O(log n) in what is live. */
export const evolve = (stock: StockItem, event: StockEvent): StockItem => {
  switch (event._tag) {
    case 'StockReceived':
      return { ...stock, received: stock.received + event.units }
    case 'StockAdjusted':
      return { ...stock, adjusted: stock.adjusted + event.delta }
    case 'StockReserved':
      return withReservation(stock, event.reservationId, reservationOf(event))
    case 'ReservationExtended': {
      const reservation = stock.reservations.get(event.reservationId)
      if (reservation === undefined) return stock
      return withReservation(stock, event.reservationId, { ...reservation, expiresAtMs: event.expiresAtMs })
    }
    case 'ReservationReleased':
    case 'ReservationExpired':
      return withoutReservation(stock, event.reservationId)
    case 'StockAllocated':
      return withAllocated(withoutReservation(stock, event.reservationId), event)
    case 'StockDeallocated':
      return withoutAllocated(stock, event)
    case 'StockShipped':
      return { ...withoutAllocated(stock, event), shipped: stock.shipped + event.units }
    case 'StockRestocked':
      return { ...stock, restocked: stock.restocked + event.units }
    case 'BackorderPolicySet':
      return { ...stock, backorderLimit: event.limit }
    case 'StockDepleted':
      return stock
  }
}

type Reserved = Extract<StockEvent, { readonly _tag: 'StockReserved' }>

const reservationOf = ({ orderId, shopper, units, expiresAtMs }: Reserved): Reservation =>
  shopper === undefined ? { orderId, units, expiresAtMs } : { orderId, shopper, units, expiresAtMs }

/** The shopper owns what he reserved; without one, the order does. */
const ownerOf = ({ orderId, shopper }: Pick<Reservation, 'orderId' | 'shopper'>): string =>
  shopper === undefined ? `order ${orderId}` : `shopper ${shopper}`

/** Replaces a live reservation of the same id. */
const withReservation = (stock: StockItem, id: ReservationId, reservation: Reservation): StockItem => {
  const former = stock.reservations.get(id)
  const owner = ownerOf(reservation)
  let { owned } = stock
  if (former === undefined || ownerOf(former) !== owner) {
    if (former !== undefined) owned = disowned(owned, ownerOf(former), id)
    const others = owned.get(owner)
    owned = owned.set(owner, others === undefined ? [id] : [...others, id].toSorted())
  }
  return {
    ...stock,
    reserved: stock.reserved + reservation.units - (former?.units ?? 0),
    reservations: stock.reservations.set(id, reservation),
    owned,
  }
}

const withoutReservation = (stock: StockItem, id: ReservationId): StockItem => {
  const reservation = stock.reservations.get(id)
  if (reservation === undefined) return stock
  return {
    ...stock,
    reserved: stock.reserved - reservation.units,
    reservations: stock.reservations.delete(id),
    owned: disowned(stock.owned, ownerOf(reservation), id),
  }
}

const disowned = (owned: StockItem['owned'], owner: string, id: ReservationId): StockItem['owned'] => {
  const others = owned.get(owner, []).filter((other) => other !== id)
  return others.length === 0 ? owned.delete(owner) : owned.set(owner, others)
}

type Part = Allocation & { readonly reservationId: ReservationId }

const withAllocated = (stock: StockItem, { reservationId, orderId, units }: Part): StockItem => {
  const held = (stock.allocations.get(reservationId)?.units ?? 0) + units
  return {
    ...stock,
    allocated: stock.allocated + units,
    allocations: stock.allocations.set(reservationId, { orderId, units: held as HeldUnits }),
  }
}

const withoutAllocated = (stock: StockItem, { reservationId, orderId, units }: Part): StockItem => {
  const left = (stock.allocations.get(reservationId)?.units ?? 0) - units
  return {
    ...stock,
    allocated: stock.allocated - units,
    allocations:
      left > 0
        ? stock.allocations.set(reservationId, { orderId, units: left as HeldUnits })
        : stock.allocations.delete(reservationId),
  }
}

/** Units that lie there, whoever they are promised to. */
export const onHand = (stock: StockItem): number =>
  stock.received + stock.adjusted + stock.restocked - stock.shipped

/** Units that nobody was promised; below zero when more was promised than is on hand. */
export const available = (stock: StockItem): number => onHand(stock) - stock.reserved - stock.allocated

/** Units that can still be promised, backorders included. */
export const promisable = (stock: StockItem): number => available(stock) + stock.backorderLimit

// Commands

export const StockCommand = union(
  'StockCommand',
  variant('ReceiveStock', { units: Units }),
  variant('AdjustStock', { delta: UnitsDelta, reason: Reason }),
  variant(
    'ReserveStock',
    {
      reservationId: ReservationId,
      orderId: OrderId,
      /** The units of each line that wants this item. */
      lines: list(Units, 1, 1000),
      expiresAtMs: TimeMs,
    },
    { shopper: UserId },
  ),
  variant('ExtendReservation', { reservationId: ReservationId, expiresAtMs: TimeMs }),
  variant('ReleaseReservation', { reservationId: ReservationId }, { reason: Reason }),
  variant('ExpireReservation', { reservationId: ReservationId }),
  variant('AllocateStock', { reservationId: ReservationId, orderId: OrderId }),
  variant('DeallocateStock', { reservationId: ReservationId, reason: Reason }),
  variant('ShipStock', { reservationId: ReservationId, units: HeldUnits }),
  variant('RestockReturn', { orderId: OrderId, units: Units }),
  variant('SetBackorderPolicy', { limit: Count }),
)
export type StockCommand = TypeOf<typeof StockCommand>

// Rejections

export const StockRejection = union(
  'StockRejection',
  /** `available` is what this caller could have had, backorders and reservations of his own included. */
  variant('InsufficientStock', { requested: Count, available: Total }, { reservationId: ReservationId }),
  /** More than lies there cannot leave, whatever was promised. */
  variant('NotOnHand', { requested: Count, available: Total }, { reservationId: ReservationId }),
  variant('UnknownReservation', { reservationId: ReservationId }),
  variant('ReservationOfAnotherOrder', { reservationId: ReservationId, orderId: OrderId }),
  variant('ReservationAllocated', { reservationId: ReservationId, orderId: OrderId }),
  variant('ReservationNotDue', { reservationId: ReservationId, expiresAtMs: TimeMs }),
  variant('InsufficientAllocation', {
    reservationId: ReservationId,
    requested: Count,
    available: Count,
  }),
  /** No more can come back than was ever shipped. */
  variant('NotShipped', { orderId: OrderId, requested: Count, available: Count }),
  /** More is promised beyond the stock than the new limit allows. */
  variant('BackordersOpen', { requested: Count, backordered: Count }),
)
export type StockRejection = TypeOf<typeof StockRejection>

type StockDecision = Decision<StockRejection, StockEvent>
type CommandNamed<Tag extends StockCommand['_tag']> = Extract<StockCommand, { readonly _tag: Tag }>

/** Idempotent per reservation: what already holds changes nothing. */
export const decide = (command: StockCommand, stock: StockItem, context: Context): StockDecision => {
  switch (command._tag) {
    case 'ReceiveStock':
      return accept({ _tag: 'StockReceived', units: command.units })
    case 'AdjustStock':
      return decideAdjust(command, stock)
    case 'ReserveStock':
      return decideReserve(command, stock)
    case 'ExtendReservation':
      return decideExtend(command, stock)
    case 'ReleaseReservation':
      return decideRelease(command, stock)
    case 'ExpireReservation':
      return decideExpire(command, stock, context)
    case 'AllocateStock':
      return decideAllocate(command, stock)
    case 'DeallocateStock':
      return decideDeallocate(command, stock)
    case 'ShipStock':
      return decideShip(command, stock)
    case 'RestockReturn':
      return decideRestock(command, stock)
    case 'SetBackorderPolicy':
      return decideBackorderPolicy(command, stock)
  }
}

/** A loss that would break a promise is refused: whoever counted decides first which promise to take back. */
const decideAdjust = ({ delta, reason }: CommandNamed<'AdjustStock'>, stock: StockItem): StockDecision => {
  if (delta === 0) return accept()
  if (onHand(stock) + delta < 0)
    return reject({
      _tag: 'NotOnHand',
      requested: Math.abs(delta) as Count,
      available: onHand(stock) as Total,
    })
  if (promisable(stock) + delta < 0)
    return reject({
      _tag: 'InsufficientStock',
      requested: Math.abs(delta) as Count,
      available: promisable(stock) as Total,
    })
  return accept({ _tag: 'StockAdjusted', delta, reason }, ...depletion(stock, available(stock) + delta))
}

/**
 * A live reservation of the same id is replaced, its units counted as free. Where that is not enough, other live
 * reservations of the same owner give way, those that end soonest first, and each says what superseded it.
 */
const decideReserve = (command: CommandNamed<'ReserveStock'>, stock: StockItem): StockDecision => {
  const { reservationId, orderId, shopper, lines, expiresAtMs } = command
  const allocation = stock.allocations.get(reservationId)
  if (allocation !== undefined)
    return reject({ _tag: 'ReservationAllocated', reservationId, orderId: allocation.orderId })
  const former = stock.reservations.get(reservationId)
  if (former !== undefined && former.orderId !== orderId)
    return reject({ _tag: 'ReservationOfAnotherOrder', reservationId, orderId: former.orderId })
  const units = lines.reduce<number>((sum, line) => sum + line, 0) as HeldUnits
  if (former?.units === units && former.shopper === shopper && former.expiresAtMs === expiresAtMs)
    return accept()
  const own = former?.units ?? 0
  const superseded = supersede(command, stock, units - promisable(stock) - own)
  const free = available(stock) + own + superseded.units
  if (units > free + stock.backorderLimit)
    return reject({
      _tag: 'InsufficientStock',
      reservationId,
      requested: units as number as Count,
      available: (free + stock.backorderLimit) as Total,
    })
  const backordered = Math.max(0, units - Math.max(0, free)) as Count
  return accept(
    ...superseded.events,
    {
      _tag: 'StockReserved',
      reservationId,
      orderId,
      units,
      backordered,
      expiresAtMs,
      ...(shopper === undefined ? {} : { shopper }),
      ...(former === undefined ? {} : { replaces: former.units }),
    },
    ...depletion(stock, free - units),
  )
}

/** Releases of the owner's other reservations, as many as free `missing` units, or all of them. */
const supersede = (
  command: CommandNamed<'ReserveStock'>,
  stock: StockItem,
  missing: number,
): { readonly units: number; readonly events: ReadonlyArray<StockEvent> } => {
  if (missing <= 0) return { units: 0, events: [] }
  const others = stock.owned
    .get(ownerOf(command), [])
    .flatMap((id) => {
      const reservation = stock.reservations.get(id)
      return reservation === undefined || id === command.reservationId ? [] : [{ id, ...reservation }]
    })
    .toSorted((one, other) => one.expiresAtMs - other.expiresAtMs)
  const events: Array<StockEvent> = []
  let units = 0
  for (const { id, orderId, units: freed } of others) {
    if (units >= missing) break
    units += freed
    const supersededBy = command.reservationId
    events.push({ _tag: 'ReservationReleased', reservationId: id, orderId, units: freed, supersededBy })
  }
  return { units, events }
}

/** Only ever to a later time. */
const decideExtend = (command: CommandNamed<'ExtendReservation'>, stock: StockItem): StockDecision => {
  const { reservationId, expiresAtMs } = command
  const reservation = stock.reservations.get(reservationId)
  if (reservation === undefined) return notLive(stock, reservationId)
  const { orderId } = reservation
  return expiresAtMs <= reservation.expiresAtMs
    ? accept()
    : accept({ _tag: 'ReservationExtended', reservationId, orderId, expiresAtMs })
}

const decideRelease = (command: CommandNamed<'ReleaseReservation'>, stock: StockItem): StockDecision => {
  const { reservationId, reason } = command
  const reservation = stock.reservations.get(reservationId)
  if (reservation === undefined) return notLive(stock, reservationId)
  const { orderId, units } = reservation
  const released = { _tag: 'ReservationReleased', reservationId, orderId, units } as const
  return accept(reason === undefined ? released : { ...released, reason })
}

/** A timer that comes after the end has nothing left to do; one that comes early is told when to come back. */
const decideExpire = (
  { reservationId }: CommandNamed<'ExpireReservation'>,
  stock: StockItem,
  { timeMs }: Context,
): StockDecision => {
  const reservation = stock.reservations.get(reservationId)
  if (reservation === undefined) return accept()
  const { orderId, units, expiresAtMs } = reservation
  return timeMs < expiresAtMs
    ? reject({ _tag: 'ReservationNotDue', reservationId, expiresAtMs })
    : accept({ _tag: 'ReservationExpired', reservationId, orderId, units })
}

const decideAllocate = (command: CommandNamed<'AllocateStock'>, stock: StockItem): StockDecision => {
  const { reservationId, orderId } = command
  const holder = stock.reservations.get(reservationId) ?? stock.allocations.get(reservationId)
  if (holder === undefined) return reject({ _tag: 'UnknownReservation', reservationId })
  if (holder.orderId !== orderId)
    return reject({ _tag: 'ReservationOfAnotherOrder', reservationId, orderId: holder.orderId })
  return stock.reservations.has(reservationId)
    ? accept({ _tag: 'StockAllocated', reservationId, orderId, units: holder.units })
    : accept()
}

/** Gives back what is not yet shipped. */
const decideDeallocate = (command: CommandNamed<'DeallocateStock'>, stock: StockItem): StockDecision => {
  const { reservationId, reason } = command
  const allocation = stock.allocations.get(reservationId)
  if (allocation === undefined) return reject({ _tag: 'UnknownReservation', reservationId })
  const { orderId, units } = allocation
  return accept({ _tag: 'StockDeallocated', reservationId, orderId, units, reason })
}

const decideShip = ({ reservationId, units }: CommandNamed<'ShipStock'>, stock: StockItem): StockDecision => {
  const allocation = stock.allocations.get(reservationId)
  if (allocation === undefined) return reject({ _tag: 'UnknownReservation', reservationId })
  const requested = units as number as Count
  if (units > allocation.units)
    return reject({
      _tag: 'InsufficientAllocation',
      reservationId,
      requested,
      available: allocation.units as number as Count,
    })
  if (units > onHand(stock))
    return reject({ _tag: 'NotOnHand', reservationId, requested, available: onHand(stock) as Total })
  return accept({ _tag: 'StockShipped', reservationId, orderId: allocation.orderId, units })
}

const decideRestock = (
  { orderId, units }: CommandNamed<'RestockReturn'>,
  stock: StockItem,
): StockDecision => {
  const away = stock.shipped - stock.restocked
  return units > away
    ? reject({
        _tag: 'NotShipped',
        orderId,
        requested: units as number as Count,
        available: away as Count,
      })
    : accept({ _tag: 'StockRestocked', orderId, units })
}

const decideBackorderPolicy = (
  { limit }: CommandNamed<'SetBackorderPolicy'>,
  stock: StockItem,
): StockDecision => {
  if (limit === stock.backorderLimit) return accept()
  const backordered = Math.max(0, -available(stock)) as Count
  return backordered > limit
    ? reject({ _tag: 'BackordersOpen', requested: limit, backordered })
    : accept({ _tag: 'BackorderPolicySet', limit })
}

const notLive = (stock: StockItem, reservationId: ReservationId): StockDecision => {
  const allocation = stock.allocations.get(reservationId)
  return allocation === undefined
    ? reject({ _tag: 'UnknownReservation', reservationId })
    : reject({ _tag: 'ReservationAllocated', reservationId, orderId: allocation.orderId })
}

/** Said once, when the last free unit goes. */
const depletion = (stock: StockItem, after: number): ReadonlyArray<StockEvent> =>
  available(stock) > 0 && after <= 0 ? [{ _tag: 'StockDepleted', available: after as Total }] : []

export const decider: Decider<StockCommand, StockItem, StockEvent, StockRejection> = {
  initial,
  evolve,
  decide,
}

const StoredStock = record('StoredStock', {
  received: Total,
  adjusted: Total,
  restocked: Total,
  shipped: Total,
  backorderLimit: Count,
  reservations: list(
    record(
      'StoredReservation',
      { id: ReservationId, orderId: OrderId, units: HeldUnits, expiresAtMs: TimeMs },
      { shopper: UserId },
    ),
    0,
    1_000_000,
  ),
  allocations: list(
    record('StoredAllocation', { id: ReservationId, orderId: OrderId, units: HeldUnits }),
    0,
    1_000_000,
  ),
})
type StoredStock = TypeOf<typeof StoredStock>

/** By id, so that equal states are stored equally, whatever led to them. */
const listed = <Item extends object>(
  items: PersistentMap<ReservationId, Item>,
): ReadonlyArray<Item & { readonly id: ReservationId }> =>
  Array.from(items, ([id, item]) => Object.assign({ id }, item)).toSorted((one, other) =>
    one.id < other.id ? -1 : 1,
  )

const store = (stock: StockItem): StoredStock => ({
  received: stock.received as Total,
  adjusted: stock.adjusted as Total,
  restocked: stock.restocked as Total,
  shipped: stock.shipped as Total,
  backorderLimit: stock.backorderLimit as Count,
  reservations: listed(stock.reservations),
  allocations: listed(stock.allocations),
})

const restore = ({ reservations, allocations, ...totals }: StoredStock): StockItem => {
  let stock: StockItem = { ...initial, ...totals }
  for (const { id, ...reservation } of reservations) stock = withReservation(stock, id, reservation)
  for (const { id, orderId, units } of allocations)
    stock = withAllocated(stock, { reservationId: id, orderId, units })
  return stock
}

export const aggregate = aggregateOf({
  ...decider,
  name: 'stock',
  command: StockCommand,
  event: StockEvent,
  rejection: StockRejection,
  snapshot: snapshotCodec(StoredStock, store, restore),
  reducer: 1,
})
