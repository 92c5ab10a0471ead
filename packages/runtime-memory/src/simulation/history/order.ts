/** The anomalies of single places: phantoms, aborted reads, duplicates, clashes, gaps, and appends that were overwritten. */
import type { Clash, Collected, Hole, Oddity } from './collect.ts'
import type { Anomaly, AnomalyKind, History, Read } from './operation.ts'
import { type Attempt, evidence, firstFrom, NOBODY, type Place, type Stream } from './place.ts'
import { answeredAt, gapsOf } from './settle.ts'
import { sentence } from './words.ts'

/** Takes an anomaly down. */
export type Report = (kind: AnomalyKind, operations: ReadonlyArray<number>, what: string) => void

export interface Reports {
  readonly anomalies: ReadonlyArray<Anomaly>
  readonly report: Report
}

export const reports = (history: History): Reports => {
  const anomalies: Array<Anomaly> = []
  const report: Report = (kind, operations, what) => {
    const shown = [...new Set(operations)].filter((index) => index !== NOBODY).toSorted((a, b) => a - b)
    anomalies.push({ kind, operations: shown, message: sentence(history, what, shown) })
  }
  return { anomalies, report }
}

export const reportPlaces = (collected: Collected, report: Report): void => {
  reportOddities(collected, report)
  for (const clash of collected.clashes) reportClash(collected, clash, report)
  const told = reportHoles(collected, report)
  for (const stream of collected.streams.values()) {
    for (const { number, by } of gapsOf(stream))
      if (!told.has(`${stream.name}@${number}`))
        report('gap', [by], `Nobody appended ${stream.name}@${number}, yet a later element is there`)
    reportDuplicates(stream, report)
    for (const place of stream.places)
      if (place.attempts.length > 1) reportOverwritten(collected, stream, place, report)
  }
}

/** One anomaly per element that nobody appended, and one per read whose elements are at the wrong places. */
const reportOddities = ({ history, oddities }: Collected, report: Report) => {
  const told = new Set<string>()
  const once = (key: string): boolean => !told.has(key) && told.add(key).has(key)
  const attempts = new Map<
    Stream,
    ReadonlyMap<string, ReadonlyArray<Attempt & { readonly number: number }>>
  >()
  for (const oddity of oddities) {
    const { stream, value, read } = oddity
    const byValue = attempts.get(stream) ?? attemptsByValue(stream)
    attempts.set(stream, byValue)
    const kind = kindOf(history, oddity, byValue.get(value) ?? [])
    const element = `${value} at ${stream.name}@${oddity.number}`
    const others = (byValue.get(value) ?? []).map(({ operation }) => operation)
    if (kind === 'phantom' && once(`${stream.name} ${value}`))
      report(kind, [read], `Nobody appended what was read, ${element}`)
    if (kind === 'G1a' && once(`${stream.name} ${value}`))
      report(kind, [...others.slice(0, 1), read], `What was read, ${element}, failed to be appended`)
    if (kind === 'duplicate append' && once(`${read}`))
      report(kind, [read], `A value is read twice: ${element}, and before it`)
    if (kind === 'incompatible order' && once(`${read}`))
      report(kind, [...others.slice(0, 1), read], `What was read, ${element}, was appended at another place`)
  }
}

const attemptsByValue = ({ places }: Stream) => {
  const found = places.flatMap(({ number, attempts }) => attempts.map((attempt) => ({ ...attempt, number })))
  return Map.groupBy(found, ({ value }) => value)
}

const kindOf = (
  history: History,
  { read, number, value }: Oddity,
  attempts: ReadonlyArray<Attempt & { readonly number: number }>,
): AnomalyKind => {
  if (attempts.length === 0) return 'phantom'
  const shown = (history[read] as Read).values.filter((one) => one.value === value)
  if (shown.length > 1) return 'duplicate append'
  const here = attempts.filter((attempt) => attempt.number === number)
  return (here.length > 0 ? here : attempts).every(({ failed }) => failed) ? 'G1a' : 'incompatible order'
}

const reportClash = ({ history }: Collected, { first, second, stream, number }: Clash, report: Report) => {
  const twice = new Set<string>()
  const repeated = (history[second] as Read).values.some(({ value }) => twice.size === twice.add(value).size)
  if (repeated) report('duplicate append', [second], `A value is read twice in ${stream.name}`)
  else
    report('incompatible order', [first, second], `Two reads disagree on what is at ${stream.name}@${number}`)
}

/** A hole where an acknowledged append should be, and that no read fills, is a loss. */
const reportHoles = ({ history, holes }: Collected, report: Report): ReadonlySet<string> => {
  const told = new Set<string>()
  for (const { read, stream, number } of holes) {
    const key = `${stream.name}@${number}`
    if (told.has(key)) continue
    told.add(key)
    const loser = lostIn(history, { read, stream, number })
    if (loser === undefined)
      report('gap', [read], `A read shows later elements than ${key}, and not that one`)
    else {
      loser.lost = true
      report('lost append', [loser.storedBy, read], `What was acknowledged at ${key} is not there`)
    }
  }
  return told
}

const lostIn = (history: History, { read, stream, number }: Hole): Place | undefined => {
  const place = stream.places[firstFrom(stream.places, number)]
  if (place?.number !== number || place.seen !== undefined) return undefined
  return place.storedAt < (history[read]?.invokedAt ?? 0) ? place : undefined
}

const reportDuplicates = ({ name, places }: Stream, report: Report) => {
  const at = new Map<string, Place>()
  for (const place of places) {
    if (place.value === undefined || place.contested) continue
    const earlier = at.get(place.value)
    if (earlier === undefined) at.set(place.value, place)
    else
      report(
        'duplicate append',
        // One read that shows both says it alone.
        place.firstSeenBy !== NOBODY && place.firstSeenBy === earlier.firstSeenBy
          ? [place.firstSeenBy]
          : [...evidence(earlier), ...evidence(place)],
        `${place.value} is at ${name}@${earlier.number} and at ${name}@${place.number}`,
      )
  }
}

/** Acknowledged, and something else is at its place. */
const reportOverwritten = ({ history }: Collected, stream: Stream, place: Place, report: Report) => {
  if (place.contested) return
  for (const { operation, value } of place.attempts) {
    if (value === place.value || answeredAt(history, operation) === Number.POSITIVE_INFINITY) continue
    const where = `${stream.name}@${place.number}`
    report(
      'lost append',
      [operation, place.storedBy],
      `${value} was acknowledged at ${where}, where ${place.value} is`,
    )
  }
}
