/**
 * Plans as one line of JSON, which `--plan` takes and tests keep:
 * `{"version":1,"seed":"7","deviations":{"relay 1: queue.send order/7@3 #1":"response lost"}}`.
 *
 * A line may name its requests too; without them they are those of the seed.
 */
import { CommandId, type E, type InvalidInput, StreamName } from '@everfold/core'
import type { Plan, Request } from '../run.ts'
import { printable } from './printable.ts'
import {
  durationOf,
  entriesOf,
  type Fields,
  fieldsOf,
  jsonOf,
  listOf,
  type Reading,
  readText,
  textLike,
  textOf,
  versionOf,
} from './reading.ts'

const VERSION = 1

export interface Planned {
  readonly plan: Plan
  readonly requests?: ReadonlyArray<Request>
}

/**
 * A plan as one line of JSON. Without `requests` the line leaves them to the plan's seed, and means the same for only as
 * long as the workload does. Safe to print: what a terminal would obey is escaped.
 */
export const encodePlan = (plan: Plan, requests?: ReadonlyArray<Request>): string =>
  printable(
    JSON.stringify({
      version: VERSION,
      ...planJson(plan),
      ...(requests === undefined ? {} : { requests: requests.map(requestJson) }),
    }),
  )

/**
 * Reads a line of `encodePlan`. Left, with all that is wrong in it, where it is no plan of this version; whether its
 * requests are any for a service is for `replay` to say.
 */
export const decodePlan = (text: string): E.Either<InvalidInput, Planned> =>
  readText(text, (input) => {
    const field = fieldsOf(input, ['version', 'seed', 'deviations'], ['requests'])
    if (field === undefined) return { plan: { seed: '', deviations: new Map() } }
    versionOf(field('version'), VERSION)
    const plan = planOf(field)
    const requests = field('requests')
    return requests.value === undefined ? { plan } : { plan, requests: requestsOf(requests) }
  })

export const planJson = ({ seed, deviations }: Plan) => ({ seed, deviations: Object.fromEntries(deviations) })

/** Of an object with the fields `seed` and `deviations`. */
export const planOf = (field: Fields): Plan => ({
  seed: textOf(field('seed')),
  deviations: new Map(entriesOf(field('deviations'))?.map(([key, deviation]) => [key, textOf(deviation)])),
})

/** With its fields in the order in which they are read. */
export const requestJson = ({ client, id, aggregate, stream, command, afterMs }: Request) => ({
  client,
  id,
  aggregate,
  stream,
  command,
  afterMs,
})

export const requestsOf = (input: Reading): ReadonlyArray<Request> =>
  listOf(input, (item) => {
    const field = fieldsOf(item, ['client', 'id', 'aggregate', 'stream', 'command', 'afterMs'])
    return field === undefined ? [] : [requestOf(field)]
  }).flat()

const requestOf = (field: Fields): Request => ({
  client: textOf(field('client')),
  id: textLike(field('id'), CommandId),
  aggregate: textOf(field('aggregate')),
  stream: textLike(field('stream'), StreamName),
  command: jsonOf(field('command')),
  afterMs: durationOf(field('afterMs')),
})
