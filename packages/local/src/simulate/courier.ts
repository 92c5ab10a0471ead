/**
 * A courier who brings parcels to the door, the smallest service whose process asks, is refused, and waits: a van of
 * limited room is asked to take a parcel, a timer says when it is brought, and a doorbell outside is rung.
 *
 * Streams `{tenant}:parcel/{parcelId}` and `{tenant}:van/{vanId}`. Invariant: no van is fuller than it may be, and every
 * parcel ends delivered, returned or withdrawn.
 */
import {
  accept,
  ask,
  type Codec,
  cancelTimer,
  type Decision,
  aggregate as defineAggregate,
  from,
  gateway,
  type Heard,
  hear,
  integer,
  type Json,
  list,
  type Output,
  oneOf,
  type Process,
  type Projection,
  plainSnapshot,
  record,
  reject,
  type Service,
  schedule,
  streamParts,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'

const ParcelId = text('ParcelId', { maxLength: 40 })
const VanId = text('VanId', { maxLength: 40 })
const Rings = integer('Rings', 0)
type Rings = TypeOf<typeof Rings>

// The parcel

const ParcelEvent = union(
  'ParcelEvent',
  // Somebody opens at this ring, if it comes to that.
  variant('HandedIn', { van: VanId, opensAt: Rings }),
  variant('BroughtToDoor', { ring: Rings }),
  variant('NobodyFound', { ring: Rings }),
  variant('Delivered'),
  variant('Returned', { because: oneOf('Because', 'the van is full', 'nobody opens') }),
  variant('Withdrawn'),
)
export type ParcelEvent = TypeOf<typeof ParcelEvent>

type Standing = 'unknown' | 'under way' | 'at the door' | 'delivered' | 'returned' | 'withdrawn'
const Standing: Codec<Standing> = oneOf(
  'Standing',
  'unknown',
  'under way',
  'at the door',
  'delivered',
  'returned',
  'withdrawn',
)
const Parcel = record('Parcel', { standing: Standing, rings: Rings, opensAt: Rings })
export type Parcel = TypeOf<typeof Parcel>

const evolveParcel = (parcel: Parcel, event: ParcelEvent): Parcel => {
  switch (event._tag) {
    case 'HandedIn':
      return { ...parcel, standing: 'under way', opensAt: event.opensAt }
    case 'BroughtToDoor':
      return { ...parcel, standing: 'at the door', rings: event.ring }
    case 'NobodyFound':
      return { ...parcel, standing: 'under way' }
    case 'Delivered':
      return { ...parcel, standing: 'delivered' }
    case 'Returned':
      return { ...parcel, standing: 'returned' }
    case 'Withdrawn':
      return { ...parcel, standing: 'withdrawn' }
  }
}

const ParcelCommand = union(
  'ParcelCommand',
  // Of clients.
  variant('HandIn', { van: VanId, opensAt: Rings }),
  variant('PickUp'),
  variant('Withdraw'),
  // Of the courier.
  variant('BringToDoor'),
  variant('Return'),
  // Of the doorbell.
  variant('HandOver'),
  variant('LeaveNote'),
)
export type ParcelCommand = TypeOf<typeof ParcelCommand>

const ParcelRejection = union('ParcelRejection', variant('NotUnderWay', { standing: Standing }))
type ParcelRejection = TypeOf<typeof ParcelRejection>

/** How often a door is rung. */
const MOST_RINGS = 2

const decideParcel = (
  command: ParcelCommand,
  { standing, rings }: Parcel,
): Decision<ParcelRejection, ParcelEvent> => {
  const underWay = standing === 'under way'
  switch (command._tag) {
    case 'HandIn': {
      const { van, opensAt } = command
      return standing === 'unknown' ? accept({ _tag: 'HandedIn', van, opensAt }) : accept()
    }
    case 'PickUp':
      return underWay ? accept({ _tag: 'Delivered' }) : reject({ _tag: 'NotUnderWay', standing })
    case 'Withdraw':
      return underWay ? accept({ _tag: 'Withdrawn' }) : reject({ _tag: 'NotUnderWay', standing })
    case 'BringToDoor':
      return underWay ? accept({ _tag: 'BroughtToDoor', ring: (rings + 1) as Rings }) : accept()
    case 'Return':
      return underWay ? accept({ _tag: 'Returned', because: 'the van is full' }) : accept()
    case 'HandOver':
      return standing === 'at the door' ? accept({ _tag: 'Delivered' }) : accept()
    case 'LeaveNote':
      if (standing !== 'at the door') return accept()
      return rings < MOST_RINGS
        ? accept({ _tag: 'NobodyFound', ring: rings })
        : accept({ _tag: 'Returned', because: 'nobody opens' })
  }
}

const none = 0 as Rings

export const parcel = defineAggregate<ParcelCommand, Parcel, ParcelEvent, ParcelRejection>({
  name: 'parcel',
  command: ParcelCommand,
  event: ParcelEvent,
  rejection: ParcelRejection,
  snapshot: plainSnapshot(Parcel),
  reducer: 1,
  initial: { standing: 'unknown', rings: none, opensAt: none },
  evolve: evolveParcel,
  decide: decideParcel,
})

// The van

const VanEvent = union(
  'VanEvent',
  variant('Loaded', { parcel: ParcelId }),
  variant('Unloaded', { parcel: ParcelId }),
)
type VanEvent = TypeOf<typeof VanEvent>

const Van = record('Van', { aboard: list(ParcelId) })
type Van = TypeOf<typeof Van>

const VanCommand = union(
  'VanCommand',
  variant('Load', { parcel: ParcelId }),
  variant('Unload', { parcel: ParcelId }),
)
type VanCommand = TypeOf<typeof VanCommand>

const VanRejection = union('VanRejection', variant('VanFull', { room: integer('Room', 1) }))
type VanRejection = TypeOf<typeof VanRejection>

/** How many parcels a van has room for. */
export const ROOM = 2

export const van = defineAggregate<VanCommand, Van, VanEvent, VanRejection>({
  name: 'van',
  command: VanCommand,
  event: VanEvent,
  rejection: VanRejection,
  snapshot: plainSnapshot(Van),
  reducer: 1,
  initial: { aboard: [] },
  evolve: ({ aboard }, event) => ({
    aboard:
      event._tag === 'Loaded' ? [...aboard, event.parcel] : aboard.filter((one) => one !== event.parcel),
  }),
  decide: ({ _tag, parcel: asked }, { aboard }) => {
    const isAboard = aboard.includes(asked)
    if (_tag === 'Unload') return isAboard ? accept({ _tag: 'Unloaded', parcel: asked }) : accept()
    if (isAboard) return accept()
    return aboard.length >= ROOM
      ? reject({ _tag: 'VanFull', room: ROOM as TypeOf<typeof VanRejection>['room'] })
      : accept({ _tag: 'Loaded', parcel: asked })
  },
})

// The courier

/** What one parcel's courier knows. */
interface Round {
  readonly parcel: string
  readonly van: string
  readonly aboard: boolean
  readonly over: boolean
}
type CourierHeard = Heard<ParcelEvent | VanEvent, ParcelRejection | VanRejection>
type Courier = Process<Round, ParcelEvent | VanEvent, ParcelRejection | VanRejection>

/** From the loading to the door, and from one ring to the next, which is over before many a timer is set. */
const ROUND_MS = 600_000
const AGAIN_MS = 200
const TIMER = 'round'

const evolveRound = (round: Round, heard: CourierHeard): Round => {
  if (heard._tag !== 'Happened') return round
  const { event, stream } = heard.recorded
  const { id } = streamParts(stream)
  switch (event._tag) {
    case 'HandedIn':
      return { ...round, parcel: id, van: event.van }
    case 'Loaded':
      return { ...round, parcel: event.parcel, van: id, aboard: true }
    case 'Delivered':
    case 'Returned':
    case 'Withdrawn':
      return { ...round, over: true }
    default:
      return round
  }
}

/** What is heard comes in any order: a parcel may be withdrawn before its van is known to have it. */
const reactTo = (_before: Round, round: Round, heard: CourierHeard): ReadonlyArray<Output> => {
  if (round.over && !round.aboard) return []
  if (heard._tag === 'Refused') return [ask(parcel, round.parcel, { _tag: 'Return' })]
  if (heard._tag === 'Elapsed') return [ask(parcel, round.parcel, { _tag: 'BringToDoor' })]
  const onVan = (_tag: VanCommand['_tag']) =>
    ask(van, round.van, { _tag, parcel: round.parcel as TypeOf<typeof ParcelId> })
  if (round.over) return [cancelTimer(TIMER), onVan('Unload')]
  const { event, timeMs } = heard.recorded
  switch (event._tag) {
    case 'HandedIn':
      return [onVan('Load')]
    case 'Loaded':
      return [schedule(TIMER, timeMs + ROUND_MS)]
    case 'NobodyFound':
      return [schedule(TIMER, timeMs + AGAIN_MS)]
    default:
      return []
  }
}

const courier: Courier = {
  name: 'courier',
  hears: [
    hear(parcel, ({ stream }) => streamParts(stream).id),
    hear(van, ({ event }) => (event._tag === 'Loaded' ? event.parcel : undefined)),
  ],
  asks: [parcel, van],
  initial: { parcel: '', van: '', aboard: false, over: false },
  evolve: evolveRound,
  react: reactTo,
}

// The view

/** A row for each parcel that is under way, and one for each tenant that has any. */
const underWay = (generation: string): Projection => ({
  name: 'under way',
  generation,
  sources: [
    from(parcel, ({ event, stream }) => {
      const { tenant = '', id } = streamParts(stream)
      const row = (change: (value: Json | undefined) => Json | undefined) => ({ pk: tenant, sk: id, change })
      const count = (by: number) => ({
        pk: 'COUNT',
        sk: tenant,
        change: (value: Json | undefined) => Number(value ?? 0) + by || undefined,
      })
      switch (event._tag) {
        case 'HandedIn':
          return [row(() => ({ van: event.van, rings: 0 })), count(1)]
        case 'BroughtToDoor':
          return [row((value) => ({ ...(value as object), rings: event.ring }))]
        case 'NobodyFound':
          return []
        default:
          return [row(() => undefined), count(-1)]
      }
    }),
  ],
})

/** The one that is read, and the one that is being built. */
export const generations = { read: underWay('1'), built: underWay('2') }

// The service

/** Rings, and answers whether somebody opened. */
export const doorbell = gateway({
  name: 'doorbell',
  aggregate: parcel,
  hears: ['BroughtToDoor'],
  keyHorizonMs: 24 * 3_600_000,
})

export const service: Service = {
  name: 'courier',
  aggregates: [parcel, van],
  projections: [generations.built, generations.read],
  processes: [courier],
  gateways: [doorbell],
  routes: [],
}
