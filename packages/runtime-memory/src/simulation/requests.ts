/** What clients send: drawn by the workload from a seed, or given. Nothing is sent that no client could send. */
import {
  type Aggregates,
  type AnyAggregate,
  CommandId,
  decode,
  deriveId,
  E,
  type Json,
  streamName,
  streamParts,
  undatedId,
} from '@everfold/core'
import { wordsOfFaults } from './report/reading.ts'
import type { Request } from './run.ts'

/** A command that the workload has sent. */
export interface Sending {
  readonly aggregate: AnyAggregate
  /** The id of the aggregate's instance. */
  readonly id: string
  readonly tenant?: string
  readonly command: unknown
  /** Who sends it; each command has a client of its own unless told. */
  readonly client?: string
  /** When, in milliseconds after the run's beginning; 0 unless told. */
  readonly afterMs?: number
  /** The client's own key, which carries no date; without one the command has a dated id. */
  readonly key?: string
}

/** What is sent in a run, by chance: `random` gives numbers in [0, 1). */
export type Workload = (random: () => number) => ReadonlyArray<Sending>

/** What a workload sends, which throws with its own error where it has one. */
export const drawn = (workload: Workload, seed: string, random: () => number): ReadonlyArray<Sending> => {
  try {
    return workload(random)
  } catch (cause) {
    throw new Error(`the workload threw for the seed ${seed}: ${String(cause)}`, { cause })
  }
}

/** The requests of these sendings, in their order; throws where one holds no valid command. */
export const requestsOf = (
  sendings: ReadonlyArray<Sending>,
  startMs: number,
  what: string,
): ReadonlyArray<Request> => sendings.map((sending, at) => requestOf(sending, at, { startMs, what }))

const requestOf = (
  { aggregate, id, tenant, command, client, afterMs = 0, key }: Sending,
  at: number,
  { startMs, what }: { readonly startMs: number; readonly what: string },
): Request => {
  const own = `number ${at + 1} of ${what}`
  if (!Number.isSafeInteger(afterMs) || afterMs < 0)
    throw new Error(`${own} is sent after ${afterMs} ms, which is no whole number from 0 on`)
  try {
    return {
      client: client ?? `client ${at + 1}`,
      id: key === undefined ? deriveId(startMs + afterMs, 'request', String(at)) : undatedId('request', key),
      aggregate: aggregate.name,
      stream: streamName(aggregate.name, id, tenant),
      command: aggregate.command.encode(command) as Json,
      afterMs,
    }
  } catch (cause) {
    throw new Error(`${own} cannot be sent to ${aggregate.name} ${id}: ${String(cause)}`, { cause })
  }
}

/** Throws with all that is wrong where a request is none for these aggregates, or two have one id. */
export const checked = (
  requests: ReadonlyArray<Request>,
  aggregates: Aggregates,
  what: string,
): ReadonlyArray<Request> => {
  const places = new Map<string, number>()
  for (const [at, { aggregate: name, stream, command, id, afterMs }] of requests.entries()) {
    const own = `number ${at + 1} of ${what}, for ${stream},`
    const aggregate = aggregates.get(name)
    if (aggregate === undefined)
      throw new Error(
        `${own} is for an aggregate that the service has not, ${name}; it has ${[...aggregates.keys()].join(', ')}`,
      )
    const { category } = streamParts(stream)
    if (category !== name)
      throw new Error(`${own} is for the aggregate ${name}, and its stream is one of ${category}`)
    const decoded = decode(aggregate.command, command)
    if (E.isLeft(decoded))
      throw new Error(
        `${own} holds no command of ${name}: ${wordsOfFaults(decoded.left)} in ${JSON.stringify(command)}`,
      )
    if (!CommandId.is(id)) throw new Error(`${own} has an id that is none of a command: ${String(id)}`)
    if (!Number.isSafeInteger(afterMs) || afterMs < 0)
      throw new Error(`${own} is sent after ${String(afterMs)} ms, which is no whole number from 0 on`)
    const earlier = places.get(id)
    if (earlier !== undefined)
      throw new Error(
        `${own} has the id of number ${earlier}, ${id}: send a command once, and the simulation repeats it`,
      )
    places.set(id, at + 1)
  }
  return requests
}
