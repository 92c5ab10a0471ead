/**
 * A marker: an item beside the commits that remembers the answer to one id without a date.
 *
 *     pk  S  `#{id}#{stream}`, which no stream's name looks like      sk   N  0
 *     n   N  the commit that answers                                  ttl  N  when it may go, in seconds since 1970
 */
import { type CommandId, type Commit, type StreamName, UNDATED_MS } from '@everfold/core'

export interface Marker {
  readonly pk: string
  readonly sk: 0
  readonly n: number
  readonly ttl: number
}

export const markerKey = (stream: StreamName, id: CommandId): Pick<Marker, 'pk' | 'sk'> => ({
  pk: `#${id}#${stream}`,
  sk: 0,
})

export const isMarker = ({ pk }: { readonly pk?: unknown }): boolean =>
  typeof pk === 'string' && pk.startsWith('#')

/** Kept twice as long as is promised, because a clock may be wrong by hours, and nobody pays for a day's markers. */
const KEPT_MS = 2 * UNDATED_MS

/** The markers of the commit's answers that ask for one. */
export const markersOf = (
  { stream, number, timeMs, answers }: Commit,
  nowMs: number,
): ReadonlyArray<{ readonly id: CommandId; readonly item: Marker }> =>
  answers
    .filter(({ marked }) => marked === true)
    .map(({ id }) => ({
      id,
      item: {
        ...markerKey(stream, id),
        n: number,
        ttl: Math.ceil((Math.max(timeMs, nowMs) + KEPT_MS) / 1000),
      },
    }))
