/** What a run is made from, and the ways in which it can be made simpler without running it. */
import type { Json, StreamName } from '@everfold/core'
import type { Plan, Request } from '../run.ts'
import { shorter } from './minimal.ts'
import { smaller, smallerNumbers } from './smaller-json.ts'

export interface Scenario {
  readonly plan: Plan
  readonly requests: ReadonlyArray<Request>
}

/** What the caller knows of how a scenario can be simpler. */
export interface Simplifying {
  /** What a deviation may be replaced by, the simplest first: `bySimplicity`, or nothing unless told. */
  simpler?(this: void, deviation: string, key: string): ReadonlyArray<string>
  /** Which commands are valid. Without it they are left as they are. */
  accepts?(this: void, aggregate: string, command: Json): boolean
}

/** A list in a scenario whose items can be left out. */
export interface Part<Item> {
  items(this: void, scenario: Scenario): ReadonlyArray<Item>
  /** The scenario with these of its items alone. */
  keep(this: void, scenario: Scenario, items: ReadonlyArray<Item>): Scenario
}

export const deviationsOf: Part<readonly [key: string, deviation: string]> = {
  items: ({ plan }) => [...plan.deviations],
  keep: ({ plan, requests }, kept) => ({ plan: { ...plan, deviations: new Map(kept) }, requests }),
}

export const streamsOf: Part<StreamName> = {
  items: ({ requests }) => [...new Set(requests.map(({ stream }) => stream))],
  keep: ({ plan, requests }, kept) => {
    const streams = new Set(kept)
    return { plan, requests: requests.filter(({ stream }) => streams.has(stream)) }
  },
}

export const requestsOf: Part<Request> = {
  items: ({ requests }) => requests,
  keep: ({ plan }, requests) => ({ plan, requests }),
}

/** The scenarios with fewer items of this part, the fewest first. */
export function* fewer<Item>(part: Part<Item>, scenario: Scenario): Generator<Scenario> {
  for (const kept of shorter(part.items(scenario))) yield part.keep(scenario, kept)
}

/**
 * The scenarios in which something deviates at an earlier attempt instead. What made the earlier ones fail is then no
 * longer needed, which leaving out alone does not find: without it there is no later attempt.
 */
export function* earlierDeviations({ plan, requests }: Scenario): Generator<Scenario> {
  for (const [key, deviation] of plan.deviations) {
    const { asked = '', attempt = '1' } = /^(?<asked>.* #)(?<attempt>\d+)$/s.exec(key)?.groups ?? {}
    for (let earlier = 1; earlier < Number(attempt); earlier += 1) {
      const deviations = new Map(plan.deviations)
      deviations.delete(key)
      yield { plan: { ...plan, deviations: deviations.set(`${asked}${earlier}`, deviation) }, requests }
    }
  }
}

/** The scenarios with a simpler deviation in place of one. */
export function* simplerDeviations(
  { plan, requests }: Scenario,
  { simpler }: Simplifying,
): Generator<Scenario> {
  for (const [key, deviation] of plan.deviations)
    for (const instead of simpler?.(deviation, key) ?? [])
      yield { plan: { ...plan, deviations: new Map(plan.deviations).set(key, instead) }, requests }
}

/** The scenarios with a smaller command in place of that of one request. */
export function* smallerCommands(
  { plan, requests }: Scenario,
  at: number,
  { accepts }: Simplifying,
): Generator<Scenario> {
  const request = requests[at]
  if (accepts === undefined || request === undefined) return
  for (const command of smaller(request.command))
    if (accepts(request.aggregate, command))
      yield { plan, requests: requests.with(at, { ...request, command }) }
}

/** The scenarios in which clients wait less: all of them not at all, then one less than it did. */
export function* sooner({ plan, requests }: Scenario): Generator<Scenario> {
  const waiting = requests.filter(({ afterMs }) => afterMs > 0)
  if (waiting.length > 1) yield { plan, requests: requests.map((request) => ({ ...request, afterMs: 0 })) }
  for (const [at, request] of requests.entries())
    for (const afterMs of smallerNumbers(request.afterMs))
      yield { plan, requests: requests.with(at, { ...request, afterMs }) }
}

/**
 * Kinds of deviations, the simplest first: one gives way to those before it. A kind with `n` in place of its numbers,
 * such as `stale by n`, is any number of it, and gives way to smaller ones too.
 */
export const bySimplicity =
  (...kinds: ReadonlyArray<string>): NonNullable<Simplifying['simpler']> =>
  (deviation) => {
    const plain = kinds.indexOf(deviation)
    const numbered = kinds.indexOf(deviation.replaceAll(/\d+/g, 'n'))
    const rank = plain < 0 ? numbered : plain
    const before = kinds.slice(0, Math.max(0, rank)).map((kind) => kind.replaceAll(/\bn\b/g, '1'))
    const lower = plain < 0 && numbered >= 0 ? withSmallerNumbers(deviation) : []
    return [...new Set([...before, ...lower])]
  }

const withSmallerNumbers = (deviation: string): ReadonlyArray<string> =>
  [...deviation.matchAll(/\d+/g)].flatMap(({ 0: digits, index }) =>
    [...smallerNumbers(Number(digits))]
      .filter((number) => number > 0)
      .map((number) => deviation.slice(0, index) + number + deviation.slice(index + digits.length)),
  )
