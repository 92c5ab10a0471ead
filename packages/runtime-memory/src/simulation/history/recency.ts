/**
 * The anomalies of time: strong reads that miss what was known before they were asked, and what was known and is gone.
 * And those of a transaction's parts: reads between two of its elements, and parts of it that landed without the rest.
 */
import type { Collected } from './collect.ts'
import type { Append, Read } from './operation.ts'
import type { Report } from './order.ts'
import { evidence, firstFrom, NOBODY, type Place, type Stream } from './place.ts'

export const reportReads = (collected: Collected, report: Report): void => {
  collected.history.forEach((operation, index) => {
    if (operation.kind !== 'read' || operation.outcome !== 'ok' || collected.blamed.has(index)) return
    const stream = collected.streams.get(operation.stream)
    const absent = firstAbsent(operation)
    if (stream === undefined || absent === undefined) return
    if (operation.consistency === 'strong')
      judgeRecency({ collected, report, stream, index }, operation, absent)
    judgeIntermediate({ collected, report, stream, index }, operation)
  })
}

/** The lowest number that a read says nothing is at. */
export const firstAbsent = ({ from, to, values }: Read): number | undefined => {
  const absent = (values.at(-1)?.number ?? from - 1) + 1
  return to === undefined || absent <= to ? absent : undefined
}

interface Judged {
  readonly collected: Collected
  readonly report: Report
  readonly stream: Stream
  readonly index: number
}

const judgeRecency = ({ collected, report, stream, index }: Judged, read: Read, absent: number) => {
  const first = firstFrom(stream.places, absent)
  const missed = stream.places[first]
  if (missed === undefined || missed.knownAt >= read.invokedAt || missed.lost) return
  const known =
    stream.places.find(({ number, storedBy }) => number >= absent && storedBy === missed.knownBy) ?? missed
  if (known.lastSeenAt >= read.invokedAt) {
    collected.blamed.add(index)
    const where = `${stream.name}@${known.number}`
    report(
      'stale read',
      [known.storedBy, index, known.lastSeenBy],
      `A strong read misses ${where}, known before it was asked and read later`,
    )
    return
  }
  for (const place of stream.places.slice(first)) {
    const gone = place.storedAt < read.invokedAt && place.lastSeenAt < read.invokedAt
    if (place.lost || !gone) return
    place.lost = true
    report(
      'lost append',
      [place.storedBy, index],
      `${place.value} was known to be at ${stream.name}@${place.number}, and is gone`,
    )
  }
}

/** Of a transaction with two elements in this stream, only the first was read. */
const judgeIntermediate = ({ collected, report, stream, index }: Judged, read: Read) => {
  const last = read.values.at(-1)
  const writer = last === undefined ? NOBODY : (stream.at.get(last.number)?.writer ?? NOBODY)
  const append = collected.history[writer]
  if (last === undefined || append?.kind !== 'append' || append.writes.length < 2) return
  const next = append.writes.find(({ stream: name, number }) => name === stream.name && number > last.number)
  if (next === undefined) return
  collected.blamed.add(index)
  report('G1b', [writer, index], `A read ends between two elements of one transaction of ${stream.name}`)
}

/** A transaction of which a part is stored, and another part's place holds what another append put there. */
export const reportTorn = ({ history, streams }: Collected, report: Report): void => {
  history.forEach((operation, index) => {
    if (operation.kind !== 'append' || operation.outcome !== 'indeterminate' || operation.writes.length < 2)
      return
    const places = operation.writes.map(({ stream, number }) => streams.get(stream)?.at.get(number))
    const landed = places.find((place) => place?.writer === index)
    const taken = places.find((place, at) => isTaken(place, operation.writes[at]))
    if (landed === undefined || taken === undefined) return
    report('torn append', [index, ...evidence(landed), ...evidence(taken)], 'A transaction landed in part')
    for (const place of places) if (place?.writer === index) place.lost = true
  })
}

const isTaken = (place: Place | undefined, write: Append['writes'][number] | undefined): boolean =>
  place?.value !== undefined && !place.contested && place.value !== write?.value
