/**
 * Event buses: rules that name events by patterns, the targets that those go to, and archives.
 *
 * What a bus promises: an event that it has accepted goes to every target of every rule that matches it, at least once, in
 * no order, or to the target's dead letters. The id of an event follows from what was put, so that it is the same
 * whatever else a run does.
 */
import { createHash } from 'node:crypto'
import { type EventPattern, eventPattern, matches } from './pattern.ts'

/** What a rule matches and a target is given. Source: EventBridge User Guide, "Event structure" (2026-11). */
export interface BusEvent {
  readonly version: '0'
  readonly id: string
  readonly 'detail-type': string
  readonly source: string
  readonly account: string
  /** In whole seconds: `2026-01-01T00:00:00Z`. */
  readonly time: string
  readonly region: string
  readonly resources: ReadonlyArray<string>
  readonly detail: unknown
  /** Of an event that comes from an archive. */
  readonly 'replay-name'?: string
}

export interface Target {
  readonly id: string
  readonly arn: string
  /** How often a delivery is tried again; 185 times unless told. */
  readonly retries?: number
  /** How long; 24 hours unless told. */
  readonly retryMs?: number
  /** The queue for what could not be delivered; without one that is dropped. */
  readonly deadLetters?: string
}

export interface Rule {
  readonly name: string
  /** As PutRule takes it; every event unless told. */
  readonly pattern?: object
  readonly targets: ReadonlyArray<Target>
}

interface Archive {
  readonly name: string
  readonly pattern?: object
}

export interface Bus {
  readonly name: string
  readonly rules?: ReadonlyArray<Rule>
  readonly archives?: ReadonlyArray<Archive>
}

/** One event on its way to one target. */
export interface Delivery {
  /** The same in every run that puts the same. */
  readonly id: string
  readonly bus: string
  readonly rule: string
  readonly target: Target
  readonly event: BusEvent
  /** 1 for the first. */
  readonly attempt: number
  readonly dueMs: number
  /** When it was accepted: its age counts from here. */
  readonly acceptedMs: number
  /** Handed to its target, which has not answered. */
  readonly underWay: boolean
  readonly isLate?: boolean
  readonly isCopy?: boolean
}

/** What was given up: it went to a queue, or was dropped where the target has none. */
export interface Undelivered {
  readonly queue?: string
  readonly delivery: Delivery
  readonly atMs: number
  readonly error: { readonly code: string; readonly message: string }
  /** Which bound of the retry policy was reached; absent where it was not tried again at all. */
  readonly exhausted?: 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds'
}

export interface Archived {
  readonly bus: string
  readonly archive: string
  readonly event: BusEvent
  readonly acceptedMs: number
}

export interface EventBridgeState {
  readonly account: string
  readonly region: string
  readonly buses: ReadonlyMap<string, Bus>
  /** Those that have not ended, by their ids. */
  readonly deliveries: ReadonlyMap<string, Delivery>
  readonly undelivered: ReadonlyArray<Undelivered>
  readonly archived: ReadonlyArray<Archived>
  /** The names of all replays. */
  readonly replays: ReadonlyArray<string>
  /** How often each content was put, by its hash. */
  readonly put: ReadonlyMap<string, number>
}

/** Throws `InvalidEventPattern` where a rule or an archive has a pattern that is none. */
export const eventBridgeWith = (
  buses: ReadonlyArray<Bus>,
  {
    account = '000000000000',
    region = 'us-east-1',
  }: { readonly account?: string; readonly region?: string } = {},
): EventBridgeState => {
  for (const { rules = [], archives = [] } of buses)
    for (const { pattern } of [...rules, ...archives]) if (pattern !== undefined) eventPattern(pattern)
  return {
    account,
    region,
    buses: new Map(buses.map((bus) => [bus.name, bus])),
    deliveries: new Map(),
    undelivered: [],
    archived: [],
    replays: [],
    put: new Map(),
  }
}

/** A bus is named by its name or its ARN. */
export const busNamed = (state: EventBridgeState, name = 'default'): Bus | undefined =>
  state.buses.get(name.startsWith('arn:') ? (name.split('/').at(-1) ?? '') : name)

const compiled = new WeakMap<object, EventPattern>()

/** Whether a rule or an archive is about an event. */
export const isAbout = ({ pattern }: Pick<Rule, 'pattern'>, event: BusEvent): boolean => {
  if (pattern === undefined) return true
  let known = compiled.get(pattern)
  if (known === undefined) compiled.set(pattern, (known = eventPattern(pattern)))
  return matches(known, event)
}

/** The state with an event on its way to all targets that want it. */
export const withEvent = (
  state: EventBridgeState,
  bus: Bus,
  event: BusEvent,
  when: Pick<Delivery, 'acceptedMs' | 'dueMs'>,
): EventBridgeState => {
  const deliveries = new Map(state.deliveries)
  const replay = event['replay-name']
  for (const rule of bus.rules ?? []) {
    if (!isAbout(rule, event)) continue
    for (const target of rule.targets) {
      const id = `${event.id} to ${rule.name}/${target.id}${replay === undefined ? '' : ` by ${replay}`}`
      const { name } = rule
      deliveries.set(id, {
        id,
        bus: bus.name,
        rule: name,
        target,
        event,
        attempt: 1,
        underWay: false,
        ...when,
      })
    }
  }
  return { ...state, deliveries }
}

/** A UUID that follows from a text. */
export const idOf = (text: string): string => {
  const digits = createHash('md5').update(text).digest('hex')
  const variant = ((Number.parseInt(digits.slice(16, 17), 16) & 3) | 8).toString(16)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join('-')
}
