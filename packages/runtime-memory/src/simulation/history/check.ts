/**
 * Checks a history of concurrent appends and reads against strict serializability: that all of it could have happened one
 * operation at a time, each between its question and its answer.
 *
 * What is wrong with single elements and single reads is told first, by its own name. Such a read, or element, then says
 * nothing about order, and the rest is searched for cycles of dependencies. Nearly linear in the length of the history.
 */
import { collect } from './collect.ts'
import { type Cycle, cyclesOf, operationsOf } from './cycles.ts'
import { type Graph, graphOf, READ_WRITE, WRITE_READ, WRITE_WRITE } from './graph.ts'
import type { Anomaly, History } from './operation.ts'
import { type Reports, reportPlaces, reports } from './order.ts'
import { NOBODY } from './place.ts'
import { reportReads, reportTorn } from './recency.ts'
import { settle } from './settle.ts'
import { type Alone, alone, smallest } from './witness.ts'
import { sentence } from './words.ts'

export interface CheckOptions {
  /**
   * `committed`: reads of several streams may see the parts of one transaction at different times, as DynamoDB's Query
   * does. `serializable` unless told.
   */
  readonly reads?: 'serializable' | 'committed'
}

/** What cannot have happened in any order; nothing where all of it can. */
export const anomaliesOf = (history: History, options: CheckOptions = {}): ReadonlyArray<Anomaly> => {
  const { found, cycles } = examine(history, options)
  const among = cyclesAmong(alone(history), options)
  return [...found, ...cycles.map((cycle) => smallest(cycle, among))]
}

/** The cycles that some operations of a history show by themselves. */
const cyclesAmong =
  (part: Alone, options: CheckOptions) =>
  (operations: ReadonlyArray<number>): ReadonlyArray<Anomaly> =>
    examine(part(operations), options).cycles.map(({ kind, operations: shown, message }) => ({
      kind,
      message,
      operations: shown.map((at) => operations[at] ?? NOBODY),
    }))

const examine = (history: History, { reads = 'serializable' }: CheckOptions) => {
  const collected = collect(history)
  settle(collected)
  const { anomalies, report }: Reports = reports(history)
  reportPlaces(collected, report)
  reportReads(collected, report)
  reportTorn(collected, report)
  const graph = graphOf(collected, reads === 'committed')
  return { found: anomalies, cycles: cyclesOf(graph).map((cycle) => asAnomaly(history, graph, cycle)) }
}

/** A write that was not acknowledged needs whoever saw it, or a later one, as its witness. */
const asAnomaly = (history: History, graph: Graph, { kind, edges }: Cycle): Anomaly => {
  const seen = edges.flatMap((edge) => {
    const place = graph.placeOf(edge)
    return place === undefined || history[place.writer]?.outcome === 'ok' ? [] : [place.knownBy]
  })
  const shown = new Set([...operationsOf(graph, edges), ...seen].filter((index) => index !== NOBODY))
  const operations = [...shown].toSorted((one, other) => one - other)
  return { kind, operations, message: sentence(history, reasons(history, graph, edges), operations) }
}

/** Each step of a cycle: who must come before whom, and why. */
const reasons = (history: History, graph: Graph, edges: ReadonlyArray<number>): string => {
  const name = (index: number) => history[index]?.process ?? ''
  let before =
    edges.map((edge) => ownerOf(graph, graph.sources[edge])).findLast((owner) => owner !== NOBODY) ?? 0
  const told: Array<string> = []
  for (const edge of edges) {
    const source = ownerOf(graph, graph.sources[edge])
    if (source !== NOBODY) before = source
    const after = ownerOf(graph, graph.targets[edge])
    if (after === NOBODY || after === before) continue
    told.push(because(graph, edge)(`${name(before)} (${before})`, `${name(after)} (${after})`))
  }
  return `No order satisfies that ${told.join(', and ')}`
}

const ownerOf = ({ owners }: Graph, node: number | undefined): number => owners[node ?? 0] ?? NOBODY

const because = (graph: Graph, edge: number): ((before: string, after: string) => string) => {
  const place = graph.placeOf(edge)
  const where = `${place?.stream}@${place?.number}`
  switch (graph.kinds[edge]) {
    case WRITE_WRITE:
      return (before, after) => `${before} wrote to ${place?.stream} before ${after} wrote ${where}`
    case WRITE_READ:
      return (before, after) => `${before} wrote ${where}, which ${after} saw`
    case READ_WRITE:
      return (before, after) => `${before} did not see ${where}, which ${after} wrote`
    default:
      return (before, after) => `${before} was answered before ${after} was asked`
  }
}
