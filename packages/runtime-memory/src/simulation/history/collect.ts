/** Goes through a history once, and notes per place of each stream who appended there and who read what there. */
import type { Append, History, Read } from './operation.ts'
import { isPlace, NOBODY, type Place, placeAt, type Stream } from './place.ts'

/** A read that shows at a place what no append that may have succeeded put there. */
export interface Oddity {
  readonly read: number
  readonly stream: Stream
  readonly number: number
  readonly value: string
}

/** Two reads that show two values at one place. */
export interface Clash {
  readonly first: number
  readonly second: number
  readonly stream: Stream
  readonly number: number
}

/** A read that shows a later element and not this one. */
export interface Hole {
  readonly read: number
  readonly stream: Stream
  readonly number: number
}

export interface Collected {
  readonly history: History
  readonly streams: ReadonlyMap<string, Stream>
  /** The reads of which something is known to be wrong: no order is inferred from them. */
  readonly blamed: Set<number>
  readonly oddities: ReadonlyArray<Oddity>
  readonly clashes: ReadonlyArray<Clash>
  readonly holes: ReadonlyArray<Hole>
}

interface Collecting extends Collected {
  readonly streams: Map<string, Stream>
  readonly oddities: Array<Oddity>
  readonly clashes: Array<Clash>
  readonly holes: Array<Hole>
}

export const collect = (history: History): Collected => {
  const all: Collecting = {
    history,
    streams: new Map(),
    blamed: new Set(),
    oddities: [],
    clashes: [],
    holes: [],
  }
  history.forEach((operation, index) => {
    if (operation.kind === 'append') noteAppend(all, operation, index)
  })
  // What a read shows is judged by all appends, those too that were asked after it.
  history.forEach((operation, index) => {
    if (operation.kind === 'read' && operation.outcome === 'ok') noteRead(all, operation, index)
  })
  for (const { places } of all.streams.values()) places.sort((one, other) => one.number - other.number)
  return all
}

const streamOf = ({ streams }: Collecting, name: string): Stream => {
  const known = streams.get(name)
  if (known !== undefined) return known
  const stream: Stream = { name, at: new Map(), places: [], written: [] }
  streams.set(name, stream)
  return stream
}

const noteAppend = (all: Collecting, { writes, outcome }: Append, operation: number) => {
  for (const { stream, number, value } of writes)
    if (isPlace(number))
      placeAt(streamOf(all, stream), number).attempts.push({ operation, value, failed: outcome === 'failed' })
}

const noteRead = (all: Collecting, { stream: name, from, values, completedAt }: Read, read: number) => {
  const stream = streamOf(all, name)
  const at = completedAt ?? Number.POSITIVE_INFINITY
  let next = from
  for (const { number, value } of values) {
    if (number > next && isPlace(next)) {
      all.blamed.add(read)
      all.holes.push({ read, stream, number: next })
    }
    const place = number < next || !isPlace(number) ? undefined : placeAt(stream, number)
    if (place === undefined || !isPossible(place, value)) {
      if (place !== undefined) place.odd = true
      all.blamed.add(read)
      all.oddities.push({ read, stream, number, value })
    } else noteSeen(all, { place, value, read, stream, at })
    next = number + 1
  }
}

interface Sight {
  readonly place: Place
  readonly value: string
  readonly read: number
  readonly stream: Stream
  readonly at: number
}

/** Whether an append that may have succeeded put this value here. */
const isPossible = ({ seen, attempts }: Place, value: string): boolean =>
  seen === value || attempts.some((attempt) => !attempt.failed && attempt.value === value)

const noteSeen = (all: Collecting, { place, value, read, stream, at }: Sight) => {
  place.seen ??= value
  if (place.seen !== value) {
    all.blamed.add(read)
    if (!place.contested)
      all.clashes.push({ first: place.firstSeenBy, second: read, stream, number: place.number })
    place.contested = true
    return
  }
  if (at < place.firstSeenAt || place.firstSeenBy === NOBODY) {
    place.firstSeenAt = at
    place.firstSeenBy = read
  }
  if (at > place.lastSeenAt) {
    place.lastSeenAt = at
    place.lastSeenBy = read
  }
}
