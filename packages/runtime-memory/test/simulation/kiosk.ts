/**
 * A kiosk that sells cups of tea, the service of these tests: whatever its handlers do may be replaced by something that
 * goes wrong.
 *
 * Stream `kiosk/{kioskId}`. Invariant: no cup is sold that was not filled.
 */
import {
  accept,
  bind,
  type Decision,
  aggregate as defineAggregate,
  E,
  type Fault,
  from,
  gateway,
  type Heard,
  hear,
  integer,
  type Json,
  type Process,
  type Projection,
  plainSnapshot,
  record,
  reject,
  streamParts,
  type TypeOf,
  union,
  variant,
} from '@everfold/core'
import { valid } from '@everfold/core/testing'
import type { SimulationOptions, Workload } from '../../src/simulation/index.ts'

const Cups = integer('Cups', 1, 100)
const Count = integer('Count', 0)

const KioskEvent = union('KioskEvent', variant('Filled', { cups: Cups }), variant('Sold', { cups: Cups }))
export type KioskEvent = TypeOf<typeof KioskEvent>

const Kiosk = record('Kiosk', { filled: Count, sold: Count })
export type Kiosk = TypeOf<typeof Kiosk>

const KioskCommand = union('KioskCommand', variant('Fill', { cups: Cups }), variant('Sell', { cups: Cups }))
export type KioskCommand = TypeOf<typeof KioskCommand>

const KioskRejection = union('KioskRejection', variant('Empty'))
type KioskRejection = TypeOf<typeof KioskRejection>

/** What its handlers are; each as it should be unless told. */
export interface Handlers {
  readonly decide?: (command: KioskCommand, kiosk: Kiosk) => Decision<KioskRejection, KioskEvent>
  readonly evolve?: (kiosk: Kiosk, event: KioskEvent) => Kiosk
  readonly change?: (value: Json | undefined, event: KioskEvent) => Json
  readonly route?: (id: string) => string
  readonly call?: () => Promise<E.Either<Fault, undefined>>
}

export const evolve = ({ filled, sold }: Kiosk, event: KioskEvent): Kiosk => {
  const count = valid(Count)
  return event._tag === 'Filled'
    ? { filled: count(filled + event.cups), sold }
    : { filled, sold: count(sold + event.cups) }
}

export const decide = (
  command: KioskCommand,
  { filled, sold }: Kiosk,
): Decision<KioskRejection, KioskEvent> => {
  if (command._tag === 'Fill') return accept({ _tag: 'Filled', cups: command.cups })
  return sold + command.cups > filled
    ? reject({ _tag: 'Empty' })
    : accept({ _tag: 'Sold', cups: command.cups })
}

export const kioskOf = ({ decide: deciding = decide, evolve: evolving = evolve }: Handlers = {}) =>
  defineAggregate<KioskCommand, Kiosk, KioskEvent, KioskRejection>({
    name: 'kiosk',
    command: KioskCommand,
    event: KioskEvent,
    rejection: KioskRejection,
    snapshot: plainSnapshot(Kiosk),
    reducer: 1,
    initial: { filled: valid(Count)(0), sold: valid(Count)(0) },
    evolve: evolving,
    decide: deciding,
  })

export const kiosk = kioskOf()

type KioskAggregate = typeof kiosk

const salesOf = (aggregate: KioskAggregate, { change = more }: Handlers): Projection => ({
  name: 'sales',
  generation: '1',
  sources: [
    from(aggregate, ({ event, stream }) => [
      { pk: 'SALES', sk: streamParts(stream).id, change: (value) => change(value, event) },
    ]),
  ],
})

export const more = (value: Json | undefined, { cups }: KioskEvent): Json => Number(value ?? 0) + cups

const clerkOf = (
  aggregate: KioskAggregate,
  { route = (id) => id }: Handlers,
): Process<{ readonly heard: number }, KioskEvent, KioskRejection> => ({
  name: 'clerk',
  hears: [hear(aggregate, ({ stream }) => route(streamParts(stream).id))],
  asks: [],
  initial: { heard: 0 },
  evolve: ({ heard }, _heard: Heard<KioskEvent, KioskRejection>) => ({ heard: heard + 1 }),
  react: () => [],
})

/** Who fills and sells at two kiosks. */
const teatime: Workload = (random) =>
  Array.from({ length: 6 }, (_, at) => ({
    aggregate: kiosk,
    id: random() < 0.5 ? 'north' : 'south',
    command: { _tag: random() < 0.5 ? 'Fill' : 'Sell', cups: 1 + Math.floor(random() * 9) },
    afterMs: Math.floor(random() * 500) + at,
  }))

const nothing = async (): Promise<E.Either<Fault, undefined>> => E.right(undefined)

export const kioskWith = (handlers: Handlers = {}): SimulationOptions => {
  const aggregate = kioskOf(handlers)
  const till = gateway({ name: 'till', aggregate, hears: ['Sold'], keyHorizonMs: 24 * 3_600_000 })
  return {
    service: {
      name: 'tea',
      aggregates: [aggregate],
      projections: [salesOf(aggregate, handlers)],
      processes: [clerkOf(aggregate, handlers)],
      gateways: [till],
      routes: [],
    },
    workload: teatime,
    gateways: () => [bind(till, () => handlers.call ?? nothing)],
  }
}
