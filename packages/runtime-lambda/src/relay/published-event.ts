/**
 * What is published of a commit: one message per recorded event, as it stands in the log.
 *
 * Consumers filter by its type and count it once by its id. A refusal or a command that changed nothing has no events,
 * so nothing is published of it. The event is in the wire form of its schema version, so the relay needs no codec of any
 * domain, and what is sealed in the log is sealed on the bus.
 */
import {
  type Codec,
  CommandId,
  type Commit,
  decode,
  E,
  eventId,
  type Fault,
  hash,
  type InputFault,
  type InvalidInput,
  integer,
  Metadata,
  type RecordedEvent,
  record,
  StoredEvent,
  StreamName,
  streamParts,
  type TE,
  text,
  unavailable,
} from '@everfold/core'
import { EVENTBRIDGE } from '../limits.ts'
import type { ClaimCheck } from '../store/claim-check.ts'

/** A recorded event whose event is as stored. */
export type PublishedEvent = RecordedEvent<StoredEvent>

const count = integer('Count', 1)

const about = {
  id: text('EventId', { maxLength: 1100 }),
  stream: StreamName,
  commit: count,
  version: count,
  timeMs: integer('TimeMs', 0),
  commandId: CommandId,
  schema: count,
  metadata: Metadata as Codec<PublishedEvent['metadata']>,
}

/** The `detail` of a message. */
export const PublishedEvent = record('PublishedEvent', { ...about, event: StoredEvent })

/** The `detail` of a message whose event is too large for one: `claim` redeems the event as JSON. */
const ClaimedEvent = record('ClaimedEvent', { ...about, claim: text('Claim', { maxLength: 1024 }) })

/**
 * What consumers filter by: `order.OrderPlaced`. One that is longer than the bus takes keeps its beginning, so that it is
 * met by its prefix, and ends with its hash, so that no two are the same.
 */
export const typeOf = ({ stream, event }: PublishedEvent): string => {
  const type = `${streamParts(stream).category}.${event._tag}`
  if (type.length <= EVENTBRIDGE.typeLength) return type
  const end = `~${hash(type)}`
  return type.slice(0, EVENTBRIDGE.typeLength - end.length).toWellFormed() + end
}

/** The events of a commit, in their order. */
export const publishedEvents = (commit: Commit): ReadonlyArray<PublishedEvent> => {
  const { stream, number, answers } = commit
  const stored = answers.flatMap((answer) => answer.events.map((event) => ({ answer, event })))
  const before = commit.version - stored.length
  return stored.map(({ answer, event }, index) => ({
    id: eventId(stream, number, index),
    stream,
    commit: number,
    version: before + index + 1,
    timeMs: answer.timeMs,
    commandId: answer.id,
    schema: event._v ?? 1,
    metadata: answer.metadata,
    event,
  }))
}

/** The message in the `detail` of an EventBridge event, what lies behind a claim check included. */
export const publishedEvent =
  (detail: unknown, claimCheck?: ClaimCheck): TE.TaskEither<InvalidInput | Fault, PublishedEvent> =>
  async () => {
    if (typeof detail !== 'object' || detail === null || !('claim' in detail))
      return decode(PublishedEvent, detail)
    const claimed = decode(ClaimedEvent, detail)
    if (E.isLeft(claimed)) return claimed
    const { claim, ...rest } = claimed.right
    // Not the message's fault: a deploy mends it.
    if (claimCheck === undefined)
      return E.left(unavailable(`the claim check of ${rest.id}: none is configured`))
    const bytes = await claimCheck.get(claim)()
    if (E.isLeft(bytes)) return bytes
    const event = parsed(bytes.right)
    return StoredEvent.is(event)
      ? E.right({ ...rest, event })
      : invalid({ pointer: '/claim', detail: 'does not redeem an event' })
  }

const invalid = (fault: InputFault): E.Either<InvalidInput, never> =>
  E.left({ _tag: 'InvalidInput', errors: [fault] })

const parsed = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
