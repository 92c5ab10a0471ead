/**
 * A stand-in for EventBridge: `PutEvents`, and delivery of what was put.
 *
 * Every bus exists, and there are no rules: a subscriber hears everything, at least once, in no promised order.
 * Source: Amazon EventBridge API Reference and User Guide, PutEvents and its entry size (2026-11).
 */
import { randomUUID } from 'node:crypto'
import { AwsError, routeByTarget, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts'

/** What a rule matches and a target is given. */
export interface BusEvent {
  readonly version: '0'
  readonly id: string
  readonly source: string
  readonly account: string
  readonly time: string
  readonly region: string
  readonly resources: ReadonlyArray<string>
  readonly 'detail-type': string
  readonly detail: unknown
}

/** One event that a bus has taken: the service's promise to deliver it. */
export interface Published {
  readonly bus: string
  readonly event: BusEvent
}

export interface PutEventsEntry {
  readonly EventBusName?: string
  readonly Source?: string
  readonly DetailType?: string
  readonly Detail?: string
  readonly Resources?: ReadonlyArray<string>
  /** In seconds since 1970. */
  readonly Time?: number
}

export interface EventBridgeOptions extends StandInOptions {
  /** The error code with which an entry is refused while others of its call are taken; none unless told. */
  readonly entryFault?: (entry: PutEventsEntry, index: number) => string | undefined
  /** How often each subscriber hears an event; once unless told. */
  readonly copies?: (published: Published) => number
  /** The time that an event without one is given, in milliseconds since 1970. */
  readonly nowMs?: () => number
}

export interface LocalEventBridge extends StandIn {
  /** What the buses have taken, in the order in which they took it. */
  readonly published: ReadonlyArray<Published>
  /** Hears what is put from now on. One that fails is called again by `deliver`. Gives back its own end. */
  subscribe(this: void, subscriber: (published: Published) => unknown): () => void
  /** Resolves when every delivery has been tried (again), with the number of those which failed. */
  deliver(this: void): Promise<number>
}

const ENTRIES_MAX = 10
/** The sum must be less than this. */
const BYTES_LIMIT = 1024 * 1024
const ATTEMPTS_MAX = 186

export const startEventBridge = async (options: EventBridgeOptions = {}): Promise<LocalEventBridge> => {
  const published: Array<Published> = []
  const { subscribe, publish, deliver } = deliveries(options.copies ?? (() => 1))
  const take = (entry: PutEventsEntry, index: number) => {
    const refused = options.entryFault?.(entry, index)
    if (refused !== undefined) return { ErrorCode: refused, ErrorMessage: 'a planted fault' }
    const invalid = invalidity(entry)
    if (invalid !== undefined) return invalid
    const one = publishedOf(entry, options.nowMs ?? Date.now)
    published.push(one)
    publish(one)
    return { EventId: one.event.id }
  }
  const putEvents = (input: Readonly<Record<string, unknown>>) => {
    const entries = (input['Entries'] ?? []) as ReadonlyArray<PutEventsEntry>
    demandLimits(entries)
    const results = entries.map(take)
    return { FailedEntryCount: results.filter((one) => 'ErrorCode' in one).length, Entries: results }
  }
  const standIn = await startStandIn(
    { name: 'events', throttledStatus: 400, route: routeByTarget({ PutEvents: putEvents }) },
    options,
  )
  return { ...standIn, published, subscribe, deliver }
}

const demandLimits = (entries: ReadonlyArray<PutEventsEntry>): void => {
  if (entries.length === 0 || entries.length > ENTRIES_MAX)
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${ENTRIES_MAX}`,
    )
  if (entries.reduce((sum, entry) => sum + entryBytes(entry), 0) >= BYTES_LIMIT)
    throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.')
}

const entryBytes = ({ Time, Source, DetailType, Detail, Resources }: PutEventsEntry): number =>
  [Source, DetailType, Detail, ...(Resources ?? [])].reduce(
    (sum, text) => sum + Buffer.byteLength(text ?? ''),
    Time === undefined ? 0 : 14,
  )

const invalidity = (entry: PutEventsEntry): { ErrorCode: string; ErrorMessage: string } | undefined => {
  for (const name of ['Source', 'DetailType', 'Detail'] as const)
    if ((entry[name] ?? '') === '')
      return {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
      }
  const detail = parsed(entry.Detail ?? '')
  return typeof detail === 'object' && detail !== null && !Array.isArray(detail)
    ? undefined
    : { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' }
}

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const publishedOf = (entry: PutEventsEntry, nowMs: () => number): Published => ({
  bus: entry.EventBusName ?? 'default',
  event: {
    version: '0',
    id: randomUUID(),
    source: entry.Source ?? '',
    account: '000000000000',
    // The service keeps whole seconds.
    time: new Date(entry.Time === undefined ? nowMs() : entry.Time * 1000).toISOString().replace(/\.\d+/, ''),
    region: 'us-east-1',
    resources: entry.Resources ?? [],
    'detail-type': entry.DetailType ?? '',
    detail: parsed(entry.Detail ?? ''),
  },
})

interface Delivery {
  readonly subscriber: (published: Published) => unknown
  readonly one: Published
  readonly attempts: number
}

/** Each delivery is tried at once, beside the others, and again whenever asked, up to the service's own limit. */
const deliveries = (copies: (published: Published) => number) => {
  const subscribers = new Set<Delivery['subscriber']>()
  const underWay = new Set<Promise<void>>()
  let waiting: Array<Delivery> = []
  const attempt = async (delivery: Delivery) => {
    try {
      await delivery.subscriber(delivery.one)
    } catch {
      if (delivery.attempts + 1 < ATTEMPTS_MAX) waiting.push({ ...delivery, attempts: delivery.attempts + 1 })
    }
  }
  const start = (delivery: Delivery) => {
    const attempted = attempt(delivery).finally(() => underWay.delete(attempted))
    underWay.add(attempted)
  }
  return {
    subscribe: (subscriber: Delivery['subscriber']) => {
      subscribers.add(subscriber)
      return () => void subscribers.delete(subscriber)
    },
    publish: (one: Published) => {
      for (const subscriber of subscribers)
        for (let copy = 0; copy < copies(one); copy += 1) start({ subscriber, one, attempts: 0 })
    },
    deliver: async () => {
      await Promise.all(underWay)
      const again = waiting
      waiting = []
      again.forEach(start)
      while (underWay.size > 0) await Promise.all(underWay)
      return waiting.length
    },
  }
}
