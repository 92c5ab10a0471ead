/** The entries that publish events on a bus, measured as EventBridge measures them, and packed into calls. */
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import { E, type Fault } from '@everfold/core'
import { EVENTBRIDGE } from '../limits.ts'
import type { ClaimCheck } from '../store/claim-check.ts'
import { type PublishedEvent, typeOf } from './published-event.ts'

export interface Entry {
  readonly input: PutEventsRequestEntry
  readonly sizeBytes: number
}

export interface Publication {
  /** The name or the ARN of the bus. */
  readonly bus: string
  /** Who publishes: `everfold.shop`. Rules filter by it. */
  readonly source: string
  /** Where events go that are too large for a message; without it such an event is a fault. */
  readonly claimCheck?: ClaimCheck
}

/** What the bus is told of one event; where that is too large, without the event but with what redeems it. */
export const entryOf = async (
  { bus, source, claimCheck }: Publication,
  published: PublishedEvent,
): Promise<E.Either<Fault, Entry>> => {
  const entry = (detail: object): Entry => {
    const input = {
      EventBusName: bus,
      Source: source,
      DetailType: typeOf(published),
      Time: new Date(published.timeMs),
      Detail: JSON.stringify(detail),
    }
    return { input, sizeBytes: entryBytes(input) }
  }
  const whole = entry(published)
  if (whole.sizeBytes < EVENTBRIDGE.requestBytes) return E.right(whole)
  const { event, ...about } = published
  if (claimCheck === undefined) {
    const { sizeBytes } = whole
    const limitBytes = EVENTBRIDGE.requestBytes - 1
    return E.left({ _tag: 'TooLarge', stream: published.stream, sizeBytes, limitBytes })
  }
  const claim = await claimCheck.put(new TextEncoder().encode(JSON.stringify(event)))()
  return E.isLeft(claim) ? claim : E.right(entry({ ...about, claim: claim.right }))
}

/** Source: EventBridge User Guide, "Calculating PutEvents event entry size" (2026-11). */
export const entryBytes = ({
  Time: time,
  Source: source = '',
  DetailType: type = '',
  Detail: detail = '',
  Resources: resources = [],
}: PutEventsRequestEntry): number =>
  [source, type, detail, ...resources].reduce(
    (bytes, part) => bytes + Buffer.byteLength(part),
    time === undefined ? 0 : EVENTBRIDGE.timeBytes,
  )

/** Cuts the entries into calls, in their order: as many to a call as its number and its bytes allow. */
export const callsOf = <One extends Entry>(
  entries: ReadonlyArray<One>,
): ReadonlyArray<ReadonlyArray<One>> => {
  const calls: Array<Array<One>> = []
  let bytes = 0
  for (const entry of entries) {
    const call = calls.at(-1)
    if (
      call === undefined ||
      call.length === EVENTBRIDGE.entries ||
      bytes + entry.sizeBytes >= EVENTBRIDGE.requestBytes
    ) {
      calls.push([entry])
      bytes = entry.sizeBytes
    } else {
      call.push(entry)
      bytes += entry.sizeBytes
    }
  }
  return calls
}
