/** Why a command was answered as it was: what is on record of it, the state it was decided on, and what it set off. */
import {
  type AnyAggregate,
  aggregatesOf,
  type CommandId,
  type Commit,
  type Delivery,
  decodeEvent,
  E,
  type EventStore,
  type Fault,
  fold,
  outbox,
  requestOf,
  resultId,
  type Service,
  type StoredAnswer,
  type StoredEvent,
  type StreamName,
  type TE,
  type TimerPayload,
} from '@everfold/core'
import { findAnswer, type Place } from './find-answer.ts'
import { isoTime, type ShownAnswer, shownCommit } from './show-stream.ts'
import { aggregateOf, headAt, type NoAggregate, type NoCommit, type StateAt, shownState } from './state-at.ts'

export type { Place } from './find-answer.ts'

/** What a commit's relay delivers, by the ids that make it count once. */
export type SetOff =
  | {
      readonly _tag: 'Command'
      readonly id: CommandId
      readonly stream: StreamName
      readonly command: unknown
    }
  | {
      readonly _tag: 'Call'
      readonly id: CommandId
      readonly gateway: string
      /** What the provider is given, so that it does it once. */
      readonly idempotencyKey: CommandId
    }
  | { readonly _tag: 'Timer'; readonly id: string; readonly timer: string; readonly due: string }
  | { readonly _tag: 'CanceledTimer'; readonly id: string }

export type Why =
  | {
      readonly _tag: 'OnRecord'
      readonly stream: StreamName
      readonly commit: number
      readonly foundIn: Place
      readonly answer: ShownAnswer
      /** What was before it, the earlier answers of its own commit included. */
      readonly decidedOn: StateAt
      readonly setOff: ReadonlyArray<SetOff>
    }
  | {
      readonly _tag: 'NotOnRecord'
      readonly stream: StreamName
      readonly commandId: CommandId
      readonly lookedIn: ReadonlyArray<Place>
    }

export const whyAnswered = (service: Service, store: EventStore) => {
  const aggregates = aggregatesOf(service)
  const deliveriesOf = outbox(service)
  return (stream: StreamName, id: CommandId): TE.TaskEither<Fault | NoAggregate | NoCommit, Why> =>
    async () => {
      const aggregate = aggregateOf(aggregates, stream)
      if (E.isLeft(aggregate)) return aggregate
      const head = await headAt(aggregate.right, store, stream)
      if (E.isLeft(head)) return head
      if (head.right.number === 0) return E.left({ _tag: 'NoCommit', stream, commit: 1, newest: 0 })
      const found = await findAnswer(store, head.right, id)
      if (E.isLeft(found)) return found
      if (found.right._tag === 'NotFound')
        return E.right({ _tag: 'NotOnRecord', stream, commandId: id, lookedIn: found.right.lookedIn })
      const { commit, place } = found.right
      const at = commit.answers.findIndex((answer) => answer.id === id)
      const decidedOn = await stateBefore(aggregate.right, store, commit, at)
      if (E.isLeft(decidedOn)) return decidedOn
      const deliveries = deliveriesOf(commit)
      if (E.isLeft(deliveries)) return deliveries
      const answer = shownCommit(commit).answers[at] as ShownAnswer
      const stored = commit.answers[at] as StoredAnswer
      const setOff = deliveries.right
        .filter((delivery) =>
          isCausedBy(
            delivery,
            stored,
            answer.events.map((event) => event.id),
          ),
        )
        .map(shownDelivery)
      return E.right({
        _tag: 'OnRecord',
        stream,
        commit: commit.number,
        foundIn: place,
        answer,
        decidedOn: decidedOn.right,
        setOff,
      })
    }
}

const stateBefore = async (
  aggregate: AnyAggregate,
  store: EventStore,
  { stream, number, answers }: Commit,
  at: number,
): Promise<E.Either<Fault, StateAt>> => {
  const head = await headAt(aggregate, store, stream, number - 1)
  if (E.isLeft(head)) return head
  if (head.right.number !== number - 1) return E.left({ _tag: 'MissingCommit', stream, number: number - 1 })
  const events: Array<StoredEvent> = []
  for (const stored of answers.slice(0, at).flatMap((answer) => answer.events)) {
    const event = decodeEvent(aggregate, stored)
    if (E.isLeft(event))
      return E.left({ _tag: 'Undecodable', stream, commit: number, errors: event.left.errors })
    events.push(event.right)
  }
  const state = fold(aggregate, events, head.right.state)
  return E.right(shownState(aggregate, { ...head.right, version: head.right.version + events.length, state }))
}

/** Whether it was this answer of the commit that asked for the delivery: by its events, or because it is a refusal. */
const isCausedBy = (
  delivery: Delivery,
  { id, events: stored }: StoredAnswer,
  events: ReadonlyArray<string>,
): boolean => {
  switch (delivery._tag) {
    case 'Dispatch': {
      const { command, metadata } = delivery.envelope
      if (metadata.causationId !== undefined && events.includes(metadata.causationId)) return true
      const heard = command as { readonly _tag?: unknown; readonly commandId?: unknown }
      return heard._tag === 'Refused' && heard.commandId === id
    }
    case 'Call':
      return events.includes(delivery.recorded.id)
    case 'Schedule':
      return stored.some((event) => event['id'] === delivery.timer.id)
    case 'CancelTimer':
      return stored.some((event) => event['id'] === delivery.id)
  }
}

const shownDelivery = (delivery: Delivery): SetOff => {
  switch (delivery._tag) {
    case 'Dispatch': {
      const { stream, envelope } = delivery
      return { _tag: 'Command', id: envelope.id, stream, command: envelope.command }
    }
    case 'Call': {
      const { gateway, recorded } = delivery
      const { key } = requestOf(gateway, { recorded, state: undefined }, recorded.timeMs)
      return {
        _tag: 'Call',
        id: resultId(gateway.name, recorded),
        gateway: gateway.name,
        idempotencyKey: key,
      }
    }
    case 'Schedule': {
      const { id, dueMs, payload } = delivery.timer
      const { timer } = payload as unknown as TimerPayload
      return { _tag: 'Timer', id, timer, due: isoTime(dueMs) }
    }
    case 'CancelTimer':
      return { _tag: 'CanceledTimer', id: delivery.id }
  }
}
