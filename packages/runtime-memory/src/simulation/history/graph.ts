/**
 * Which operation must come before which: the dependencies of Adya between transactions, and the order of real time.
 *
 * Real time would take an edge from each operation to each that was asked after its answer. A chain of moments, one for
 * each answer, says the same with two edges per operation: into the moment of its answer, and out of the last moment
 * before it was asked.
 */
import type { Collected } from './collect.ts'
import type { Append, Operation, Read } from './operation.ts'
import { firstFrom, NOBODY, type Place, type Stream } from './place.ts'
import { firstAbsent } from './recency.ts'

export const WRITE_WRITE = 1
export const WRITE_READ = 2
export const READ_WRITE = 4
export const REAL_TIME = 8
/** From a transaction to one of its parts, where reads may see these one by one. */
const PART = 16

/** What every kind of cycle may go through: a part follows its whole. */
export const ALWAYS = PART

/** Edges lie by the node from which they go, those of node `n` from `starts[n]` to `starts[n + 1]`. */
export interface Graph {
  readonly nodes: number
  /** The operation that a node is, or is a part of; NOBODY for a moment. */
  readonly owners: Int32Array
  readonly starts: Int32Array
  readonly sources: Int32Array
  readonly targets: Int32Array
  readonly kinds: Uint8Array
  /** The place that a dependency is about. */
  readonly placeOf: (edge: number) => Place | undefined
}

interface Drawing {
  readonly collected: Collected
  readonly owners: Array<number>
  readonly sources: Array<number>
  readonly targets: Array<number>
  readonly kinds: Array<number>
  readonly places: Array<Place | undefined>
  /** The nodes at which reads see what a transaction put at a place; the transaction itself where there is none. */
  readonly parts: Map<Place, number>
}

/** With `torn` reads, each sees a transaction's parts at times of their own, but not before the transaction. */
export const graphOf = (collected: Collected, torn: boolean): Graph => {
  const drawing: Drawing = {
    collected,
    owners: collected.history.map((_, index) => index),
    sources: [],
    targets: [],
    kinds: [],
    places: [],
    parts: new Map(),
  }
  for (const stream of collected.streams.values()) {
    stream.written = stream.written.filter(({ lost }) => !lost)
    if (torn) drawParts(drawing, stream)
  }
  for (const stream of collected.streams.values()) drawWrites(drawing, stream)
  collected.history.forEach((operation, index) => {
    if (operation.kind === 'append') drawUnmoved(drawing, operation, index)
    else if (isTrusted(collected, operation, index)) drawRead(drawing, operation, index)
  })
  drawTime(drawing)
  return laidOut(drawing)
}

const link = (drawing: Drawing, edge: readonly [from: number, to: number], kind: number, place?: Place) => {
  const [from, to] = edge
  if (from === to) return
  drawing.sources.push(from)
  drawing.targets.push(to)
  drawing.kinds.push(kind)
  drawing.places.push(place)
}

const drawParts = (drawing: Drawing, { written }: Stream) => {
  for (const place of written) {
    const append = drawing.collected.history[place.writer] as Append
    if (append.writes.length < 2) continue
    const part = drawing.owners.push(place.writer) - 1
    drawing.parts.set(place, part)
    link(drawing, [place.writer, part], PART, place)
  }
}

const drawWrites = (drawing: Drawing, { written }: Stream) => {
  let earlier: Place | undefined
  for (const place of written) {
    if (earlier !== undefined) {
      link(drawing, [earlier.writer, place.writer], WRITE_WRITE, place)
      if (drawing.parts.size > 0)
        link(drawing, [seenAt(drawing, earlier), seenAt(drawing, place)], WRITE_WRITE, place)
    }
    earlier = place
  }
}

const seenAt = ({ parts }: Drawing, place: Place): number => parts.get(place) ?? place.writer

/** A condition that held is a strong read of the stream's end, at the very moment of the transaction. */
const drawUnmoved = (drawing: Drawing, { unmoved = [], writes }: Append, index: number) => {
  if (unmoved.length === 0 || !hasLanded(drawing, writes, index)) return
  for (const { stream: name, number } of unmoved) {
    const written = drawing.collected.streams.get(name)?.written ?? []
    const next = firstFrom(written, number + 1)
    const [last, following] = [written[next - 1], written[next]]
    if (last !== undefined) link(drawing, [last.writer, index], WRITE_READ, last)
    if (following !== undefined) link(drawing, [index, following.writer], READ_WRITE, following)
  }
}

const hasLanded = ({ collected }: Drawing, writes: Append['writes'], index: number): boolean =>
  collected.history[index]?.outcome === 'ok' ||
  writes.some(({ stream, number }) => collected.streams.get(stream)?.at.get(number)?.writer === index)

const isTrusted = ({ blamed }: Collected, { outcome }: Operation, index: number): boolean =>
  outcome === 'ok' && !blamed.has(index)

const drawRead = (drawing: Drawing, read: Read, index: number) => {
  const written = drawing.collected.streams.get(read.stream)?.written ?? []
  const end = read.values.at(-1)?.number ?? 0
  const next = firstFrom(written, end + 1)
  const last = end > 0 ? written[next - 1] : undefined
  if (last !== undefined) link(drawing, [seenAt(drawing, last), index], WRITE_READ, last)
  const absent = firstAbsent(read)
  const following = absent === undefined ? undefined : written[firstFrom(written, absent)]
  if (following !== undefined) link(drawing, [index, seenAt(drawing, following)], READ_WRITE, following)
}

/** Eventual reads tell of any time before their answer, so nothing must come before them by time alone. */
const drawTime = (drawing: Drawing) => {
  const { collected, owners } = drawing
  const { history } = collected
  const answered = history.filter((operation, index) => isTrusted(collected, operation, index))
  const times = Float64Array.from(new Set(answered.map(({ completedAt = 0 }) => completedAt))).toSorted()
  const first = owners.length
  for (const _ of times) owners.push(NOBODY)
  for (let at = 1; at < times.length; at += 1) link(drawing, [first + at - 1, first + at], REAL_TIME)
  for (const [place, part] of drawing.parts)
    if (history[place.writer]?.outcome === 'ok')
      link(drawing, [part, first + momentFrom(times, history[place.writer]?.completedAt ?? 0)], REAL_TIME)
  drawRepeats(drawing, (time) => first + momentFrom(times, time))
  history.forEach((operation, index) => {
    if (operation.outcome === 'failed' || collected.blamed.has(index)) return
    if (operation.kind === 'append' || operation.consistency === 'strong') {
      const before = momentFrom(times, operation.invokedAt) - 1
      if (before >= 0) link(drawing, [first + before, index], REAL_TIME)
    }
    if (operation.outcome === 'ok')
      link(drawing, [index, first + momentFrom(times, operation.completedAt ?? 0)], REAL_TIME)
  })
}

/** The very commit that was stored before may be acknowledged once more: it was stored by then, too. */
const drawRepeats = (drawing: Drawing, momentAt: (time: number) => number) => {
  const { history, streams } = drawing.collected
  for (const { written } of streams.values())
    for (const place of written)
      if (place.storedBy !== place.writer && history[place.storedBy]?.kind === 'append')
        link(drawing, [seenAt(drawing, place), momentAt(place.storedAt)], REAL_TIME)
}

/** The index of the first of the ascending times that is not before this one. */
const momentFrom = (times: Float64Array, time: number): number => {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] ?? 0) < time) low = middle + 1
    else high = middle
  }
  return low
}

const laidOut = ({ owners, sources, targets, kinds, places }: Drawing): Graph => {
  const nodes = owners.length
  const starts = new Int32Array(nodes + 1)
  for (const source of sources) starts[source + 1] = (starts[source + 1] ?? 0) + 1
  for (let node = 0; node < nodes; node += 1) starts[node + 1] = (starts[node + 1] ?? 0) + (starts[node] ?? 0)
  const next = starts.slice()
  /** Each edge as it was drawn. */
  const drawn = new Int32Array(sources.length)
  const graph = {
    nodes,
    owners: Int32Array.from(owners),
    starts,
    sources: new Int32Array(sources.length),
    targets: new Int32Array(sources.length),
    kinds: new Uint8Array(sources.length),
    placeOf: (edge: number) => places[drawn[edge] ?? 0],
  }
  sources.forEach((source, edge) => {
    const at = next[source] ?? 0
    next[source] = at + 1
    graph.sources[at] = source
    graph.targets[at] = targets[edge] ?? 0
    graph.kinds[at] = kinds[edge] ?? 0
    drawn[at] = edge
  })
  return graph
}
