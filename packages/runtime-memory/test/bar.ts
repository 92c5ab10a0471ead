/**
 * A bar, the service of these tests: what a guest orders on a tab is asked of the barkeeper outside, and a host looks
 * after the guest.
 *
 * Stream `tab/{tabId}`. Invariant: nothing is served that was not ordered, and a closed tab takes no order.
 */
import {
  type Aggregate,
  accept,
  ask,
  bind,
  type CommandId,
  cancelTimer,
  type Decision,
  aggregate as defineAggregate,
  deriveId,
  E,
  envelope,
  type Fault,
  from,
  type GatewayRequest,
  gateway,
  type Heard,
  hear,
  integer,
  type Json,
  oneOf,
  type Process,
  type Projection,
  plainSnapshot,
  record,
  reject,
  type Service,
  type StoredEvent,
  schedule,
  streamName,
  streamParts,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'
import { valid } from '@everfold/core/testing'
import {
  type ForeignPorts,
  type MemoryEventStore,
  type MemoryRuntime,
  memoryEventStore,
  memoryRuntime,
  type RuntimeOptions,
  readerOf,
  type VirtualKernel,
  type VirtualOptions,
  virtualKernel,
} from '@everfold/runtime-memory'

export const Drink = text('Drink', { maxLength: 40 })
const Count = integer('Count', 0)

// Events

const TabEvent = union(
  'TabEvent',
  variant('Ordered', { drink: Drink }),
  variant('Served', { drink: Drink }),
  variant('Closed'),
)
export type TabEvent = TypeOf<typeof TabEvent>

// State

const Tab = record('Tab', { ordered: Count, served: Count, standing: oneOf('Standing', 'open', 'closed') })
export type Tab = TypeOf<typeof Tab>

const evolve = (tab: Tab, event: TabEvent): Tab => {
  switch (event._tag) {
    case 'Ordered':
      return { ...tab, ordered: valid(Count)(tab.ordered + 1) }
    case 'Served':
      return { ...tab, served: valid(Count)(tab.served + 1) }
    case 'Closed':
      return { ...tab, standing: 'closed' }
  }
}

// Commands

export const TabCommand = union(
  'TabCommand',
  variant('Order', { drink: Drink }),
  variant('Serve', { drink: Drink }),
  variant('Close'),
)
export type TabCommand = TypeOf<typeof TabCommand>

// Rejections

const TabRejection = union('TabRejection', variant('TabClosed'), variant('NothingOrdered'))
type TabRejection = TypeOf<typeof TabRejection>

const decide = (command: TabCommand, tab: Tab): Decision<TabRejection, TabEvent> => {
  switch (command._tag) {
    case 'Order':
      if (command.drink === 'bomb') throw new Error('a decider that is not total')
      return tab.standing === 'closed'
        ? reject({ _tag: 'TabClosed' })
        : accept({ _tag: 'Ordered', drink: command.drink })
    case 'Serve':
      return tab.served >= tab.ordered
        ? reject({ _tag: 'NothingOrdered' })
        : accept({ _tag: 'Served', drink: command.drink })
    case 'Close':
      return tab.standing === 'closed' ? accept() : accept({ _tag: 'Closed' })
  }
}

export type TabAggregate = Aggregate<TabCommand, Tab, TabEvent, TabRejection>

/** Orders of more than one word are refused by the reader of `words: 1`, though they are on record. */
export const tabs = ({ words = 40 }: { readonly words?: number } = {}): TabAggregate =>
  defineAggregate<TabCommand, Tab, TabEvent, TabRejection>({
    name: 'tab',
    command: TabCommand,
    event:
      words === 1
        ? union(
            'TabEvent',
            variant('Ordered', { drink: text('Drink', { pattern: /^\S+$/ }) }),
            variant('Served', { drink: Drink }),
            variant('Closed'),
          )
        : TabEvent,
    rejection: TabRejection,
    snapshot: plainSnapshot(Tab),
    reducer: words,
    initial: valid(Tab)({ ordered: 0, served: 0, standing: 'open' }),
    evolve,
    decide,
  })
export const tab = tabs()

// The host

export const PATIENCE_MS = 3_600_000
const THIRST = 'thirst'

interface Hosting {
  readonly waiting: number
  readonly refused: number
}
type TabHeard = Heard<TabEvent, TabRejection>

/**
 * Closes the tab of a guest who was not served for an hour after his last order. Whoever orders a round of something makes
 * the host order that on the tab of the house.
 */
const hostOf = (aggregate: TabAggregate): Process<Hosting, TabEvent, TabRejection> => ({
  name: 'host',
  hears: [hear(aggregate, ({ stream }) => streamParts(stream).id)],
  asks: [aggregate],
  initial: { waiting: 0, refused: 0 },
  evolve: (hosting, heard) => {
    if (heard._tag === 'Refused') return { ...hosting, refused: hosting.refused + 1 }
    if (heard._tag === 'Elapsed') return hosting
    const { _tag } = heard.recorded.event
    return _tag === 'Closed'
      ? hosting
      : { ...hosting, waiting: hosting.waiting + (_tag === 'Ordered' ? 1 : -1) }
  },
  react: (_before, after, heard: TabHeard) => {
    if (heard._tag === 'Refused') return []
    if (heard._tag === 'Elapsed')
      return heardOf(heard.timer).map((id) => ask(aggregate, id, { _tag: 'Close' }))
    const { event, stream, timeMs } = heard.recorded
    const { id } = streamParts(stream)
    if (event._tag !== 'Ordered') return after.waiting === 0 ? [cancelTimer(timerOf(id))] : []
    const round = roundOf(event.drink).map((drink) => ask(aggregate, HOUSE, { _tag: 'Order', drink }))
    return id === HOUSE ? [] : [schedule(timerOf(id), timeMs + PATIENCE_MS), ...round]
  },
})

export const HOUSE = 'house'
const ROUND = 'round:'
const roundOf = (drink: string) => (drink.startsWith(ROUND) ? [valid(Drink)(drink.slice(ROUND.length))] : [])
const timerOf = (tabId: string) => `${THIRST} ${tabId}`
const heardOf = (timer: string) => (timer.startsWith(THIRST) ? [timer.slice(THIRST.length + 1)] : [])

// The views

/** One row per tab, and one per drink, which all tabs share. */
export const drinksOf = (aggregate: TabAggregate, generation = '1'): Projection => ({
  name: 'drinks',
  generation,
  sources: [
    from(aggregate, ({ event, stream }) => {
      const { id } = streamParts(stream)
      if (event._tag === 'Closed') return [{ pk: 'TAB', sk: id, change: () => undefined }]
      const field = event._tag === 'Ordered' ? 'ordered' : 'served'
      return [
        { pk: 'TAB', sk: id, change: (value) => oneMore(value, field) },
        { pk: 'DRINK', sk: event.drink, change: (value) => oneMore(value, field) },
      ]
    }),
  ],
})

const oneMore = (value: Json | undefined, field: string): Json => {
  const row = (value ?? {}) as { readonly [field: string]: number }
  return { ...row, [field]: (row[field] ?? 0) + 1 }
}

// The service

export const keeperOf = (aggregate: TabAggregate) =>
  gateway({ name: 'keeper', aggregate, hears: ['Ordered'], keyHorizonMs: 24 * 3_600_000 })

export const barOf = (aggregate: TabAggregate, more: Partial<Service> = {}): Service => ({
  name: 'bar',
  aggregates: [aggregate],
  projections: [drinksOf(aggregate)],
  processes: [hostOf(aggregate)],
  gateways: [keeperOf(aggregate)],
  routes: [],
  ...more,
})

/** A call to the barkeeper, as it began. */
interface Call {
  readonly tab: string
  readonly drink: string
  readonly key: CommandId
  readonly atMs: number
}

/** What the barkeeper does with an order: the command that records it, or a fault. */
export type Keeper = (call: Call, kernel: VirtualKernel) => Promise<E.Either<Fault, TabCommand | undefined>>

export const answering = (input: object): E.Either<never, TabCommand> => E.right(valid(TabCommand)(input))
export const served = (drink: string): E.Either<never, TabCommand> => answering({ _tag: 'Serve', drink })

const promptly: Keeper = async ({ drink }) => served(drink)

export interface Bar {
  readonly kernel: VirtualKernel
  readonly runtime: MemoryRuntime
  readonly aggregate: TabAggregate
  readonly calls: ReadonlyArray<Call>
  /** When each commit was appended. */
  readonly appendedMs: ReadonlyArray<number>
}

/** Ports of another make over this store, which has nothing of what only a store in memory has. */
export type Foreign = (store: MemoryEventStore, kernel: VirtualKernel) => ForeignPorts

export interface BarOptions extends VirtualOptions, Pick<RuntimeOptions, 'ports' | 'groupLimit' | 'pollMs'> {
  readonly foreign?: Foreign
  readonly kernel?: VirtualKernel
  readonly aggregate?: TabAggregate
  readonly service?: Partial<Service>
  readonly keeper?: Keeper
}

export const bar = ({
  aggregate = tab,
  keeper = promptly,
  service = {},
  ...options
}: BarOptions = {}): Bar => {
  const kernel = options.kernel ?? virtualKernel(options)
  const calls: Array<Call> = []
  const answer = ({ recorded, key }: GatewayRequest<TabEvent, Tab>) => {
    const { event, stream } = recorded
    const drink = event._tag === 'Ordered' ? event.drink : ''
    const call = { tab: streamParts(stream).id, drink, key, atMs: kernel.nowMs() }
    calls.push(call)
    return keeper(call, kernel)
  }
  const { ports = {}, foreign, groupLimit, pollMs } = options
  const { store = memoryEventStore(kernel), views, keys } = ports
  const kept = { ...(views === undefined ? {} : { views }), ...(keys === undefined ? {} : { keys }) }
  const running = memoryRuntime({
    service: barOf(aggregate, service),
    kernel,
    gateways: () => [bind(keeperOf(aggregate), (request) => () => answer(request))],
    ports: foreign === undefined ? { ...ports, store } : { ...kept, ...foreign(store, kernel) },
    ...(groupLimit === undefined ? {} : { groupLimit }),
    ...(pollMs === undefined ? {} : { pollMs }),
  })
  const runtime: MemoryRuntime = { ...running, ports: { ...running.ports, store, log: store.log } }
  const appendedMs: Array<number> = []
  store.subscribe(() => appendedMs.push(kernel.nowMs()))
  return { kernel, runtime, aggregate, calls, appendedMs }
}

/** Commands a tab, under an id of this name. */
export const command = (
  { kernel, runtime, aggregate }: Bar,
  tabId: string,
  input: object,
  name: string = `${tabId} ${JSON.stringify(input)}`,
) => {
  const timeMs = kernel.nowMs()
  const sending = envelope(valid(TabCommand)(input), { id: deriveId(timeMs, name), timeMs })
  return runtime.execute(aggregate, streamName('tab', tabId), sending)()
}

/** The answer, which there must be. */
export const send = async (...sending: Parameters<typeof command>) => {
  const answered = await command(...sending)
  if (E.isLeft(answered) || E.isLeft(answered.right))
    throw new Error(`no answer: ${JSON.stringify(answered)}`)
  return answered.right.right
}

export const order = (open: Bar, tabId: string, drink: string) => send(open, tabId, { _tag: 'Order', drink })

// What is on record

export interface OnRecord {
  readonly tab: string
  /** When it was appended, where this bar did that. */
  readonly appendedMs: number | undefined
  readonly timeMs: number
  readonly event: StoredEvent
}

/** The events of a category, in the order of the log. */
export const eventsOf = ({ runtime, appendedMs }: Bar, category: string): ReadonlyArray<OnRecord> =>
  runtime.ports.log.flatMap(({ stream, answers }, at) => {
    const parts = streamParts(stream)
    if (parts.category !== category) return []
    return answers.flatMap(({ events, timeMs }) =>
      events.map((event) => ({ tab: parts.id, appendedMs: appendedMs[at], timeMs, event })),
    )
  })

/** What the hosts heard, by kind. */
export const heard = (open: Bar, kind: 'Happened' | 'Refused' | 'Elapsed') =>
  eventsOf(open, 'host').flatMap(({ tab: id, appendedMs, event }) => {
    const what = event['heard'] as { readonly _tag: string; readonly dueMs: number } | undefined
    return event._tag === 'Heard' && what?._tag === kind ? [{ tab: id, appendedMs, dueMs: what.dueMs }] : []
  })

/** The rows of a view of this bar, all of them. */
export const rowsOf = async ({ runtime }: Bar, pk: string): Promise<{ readonly [sk: string]: Json }> => {
  const read = await readerOf(runtime).rows('drinks', { pk, limit: 1000 })
  if (E.isLeft(read)) throw new Error(JSON.stringify(read.left))
  return Object.fromEntries(read.right.rows.map(({ sk, value }) => [sk, value]))
}
