/** Decides, of all that a history says of each place, what is stored there, who wrote it and since when that is known. */
import type { Collected } from './collect.ts'
import type { History } from './operation.ts'
import { type Attempt, isPlace, NOBODY, type Place, type Stream } from './place.ts'

export const settle = ({ history, streams }: Collected): void => {
  for (const stream of streams.values()) settleStream(history, stream)
}

/** From the end, because a place that nobody read is stored all the same where a later one is. */
const settleStream = (history: History, stream: Stream) => {
  let [knownAt, knownBy] = [Number.POSITIVE_INFINITY, NOBODY]
  let stored = false
  for (let index = stream.places.length - 1; index >= 0; index -= 1) {
    const place = stream.places[index] as Place
    settlePlace(history, place, stored && !place.odd)
    if (place.value !== undefined) stored = true
    if (place.storedAt < knownAt || knownBy === NOBODY) [knownAt, knownBy] = [place.storedAt, place.storedBy]
    place.knownAt = knownAt
    place.knownBy = knownBy
  }
  stream.written = stream.places.filter(({ writer }) => writer !== NOBODY)
}

const settlePlace = (history: History, place: Place, stored: boolean) => {
  place.value =
    place.seen ?? acknowledged(history, place)?.value ?? (stored ? onlyCandidate(place) : undefined)
  if (place.value === undefined) {
    if (stored) place.writer = writerOf(history, possible(place))
    return
  }
  if (place.seen !== undefined) [place.storedAt, place.storedBy] = [place.firstSeenAt, place.firstSeenBy]
  for (const { operation, value } of place.attempts) {
    const at = answeredAt(history, operation)
    if (value !== place.value || at >= place.storedAt) continue
    place.storedAt = at
    place.storedBy = operation
  }
  if (!place.contested)
    place.writer = writerOf(
      history,
      possible(place).filter(({ value }) => value === place.value),
    )
}

/** When it was acknowledged; never, where it was not. */
export const answeredAt = (history: History, index: number): number => {
  const operation = history[index]
  return operation?.outcome === 'ok'
    ? (operation.completedAt ?? Number.POSITIVE_INFINITY)
    : Number.POSITIVE_INFINITY
}

const acknowledged = (history: History, { attempts }: Place): Attempt | undefined =>
  attempts.find(({ operation }) => history[operation]?.outcome === 'ok')

const possible = ({ attempts }: Place): ReadonlyArray<Attempt> => attempts.filter(({ failed }) => !failed)

const onlyCandidate = (place: Place): string | undefined => {
  const values = new Set(possible(place).map(({ value }) => value))
  return values.size === 1 ? [...values][0] : undefined
}

/**
 * Of several attempts of which one is stored here, the one that was asked first: it is in order with whatever the true one
 * is. That holds for attempts at this place alone; a transaction of more is in the order of its other places too, so of
 * several of those none is taken.
 */
const writerOf = (history: History, candidates: ReadonlyArray<Attempt>): number => {
  const [only = { operation: NOBODY }] = candidates
  if (candidates.length < 2) return only.operation
  if (!candidates.every(({ operation }) => isAlone(history, operation))) return NOBODY
  const askedAt = ({ operation }: Attempt) => history[operation]?.invokedAt ?? 0
  return candidates.reduce((first, one) => (askedAt(one) < askedAt(first) ? one : first)).operation
}

const isAlone = (history: History, index: number): boolean => {
  const operation = history[index]
  return (
    operation?.kind === 'append' && operation.writes.length === 1 && (operation.unmoved ?? []).length === 0
  )
}

/** The numbers below a stored place for which there is neither a place nor an append that may have succeeded. */
export const gapsOf = ({
  places,
}: Stream): ReadonlyArray<{ readonly number: number; readonly by: number }> => {
  const gaps: Array<{ number: number; by: number }> = []
  const last = places.findLastIndex(({ value }) => value !== undefined)
  let next = 1
  for (const place of places.slice(0, last + 1)) {
    if (place.value === undefined && !place.odd && possible(place).length === 0) continue
    if (place.number > next && isPlace(next)) gaps.push({ number: next, by: place.knownBy })
    next = place.number + 1
  }
  return gaps
}
