/**
 * What commits ask for, and what has become of it: S5 and S8 as it happens, E1, E4 and E5 in the end.
 */
import {
  type CommandId,
  type Commit,
  callMessage,
  type Delivery,
  E,
  elapsed,
  outbox,
  type Service,
  type StreamName,
  type TimerPayload,
} from '@everfold/core'
import { expectedOf, wordsOf } from './expected.ts'
import type { Judge } from './judge.ts'
import type { LogBook } from './log-book.ts'

export interface DeliveryBook {
  /** A commit was stored: what it asks for is known from now on. */
  committed(this: void, commit: Commit): void
  /** Whether a commit asked for this command, or a timer or a call comes to it. */
  asksFor(this: void, stream: StreamName, id: CommandId): boolean
  /** A message was put into a queue. */
  sent(this: void, id: string): void
  scheduled(this: void, id: string): void
  canceled(this: void, id: string): void
  /** A gateway has answered this call, with a command to record or with none. */
  made(this: void, id: string, hasResult: boolean): void
  /** A message was given up, since it will never go through. */
  buried(this: void, what: string, why: string): void
  /** The stream was read past this commit, as the relay said that it is done with it. */
  relayed(this: void, commit: Commit): void
  complete(this: void): void
}

type Kind = 'command' | 'call' | 'timer' | 'cancellation'

interface Asked {
  readonly kind: Kind
  readonly id: string
  readonly by: string
  readonly stream: StreamName
  sent: boolean
  canceled: boolean
  /** Of a call: whether a gateway answered it, and whether its answer is to be on record. */
  made?: { readonly hasResult: boolean }
  /** The command that a timer comes to. */
  readonly elapsed?: CommandId
  readonly dueMs?: number
}

export const deliveryBook = (
  service: Service,
  { answerOf, book }: Pick<LogBook, 'answerOf' | 'book'>,
  { broken }: Judge,
  nowMs: () => number,
): DeliveryBook => {
  const deliveriesOf = outbox(service)
  const commands = new Set<string>()
  const asked = new Map<string, Asked>()
  const byCommit = new Map<string, ReadonlyArray<Asked>>()
  /** Commands that timers come to, by id. */
  const timers = new Map<string, Asked>()
  let letters = 0
  const committed = (commit: Commit) => {
    const deliveries = deliveriesOf(commit)
    if (E.isLeft(deliveries)) return
    const by = placeOf(commit)
    const events = book(commit.stream)?.events[commit.number - 1] ?? []
    const differs = difference(expectedOf(service, commit, events), deliveries.right.map(wordsOf))
    if (differs !== undefined)
      return broken('E1', `a commit sets off what its events ask for, and ${by} ${differs}`)
    const list = deliveries.right.map((delivery) => askedBy(by, delivery))
    byCommit.set(by, list)
    for (const one of list) {
      // The same delivery of two commits, or of an aggregate that repeats itself, is one.
      if (!asked.has(keyOf(one))) asked.set(keyOf(one), one)
      if (one.elapsed !== undefined) timers.set(one.elapsed, one)
      commands.add(`${one.stream} ${one.elapsed ?? one.id}`)
    }
  }
  const sent = (id: string) => {
    const one = asked.get(`command ${id}`) ?? asked.get(`call ${id}`) ?? timers.get(id)
    if (one === undefined)
      return broken('S8', `nothing is published that is not in the log, and the message ${id} was sent`)
    if (one.dueMs !== undefined && one.dueMs > nowMs())
      return broken('E5', `no timer fires before it is due, and ${one.id} did`)
    one.sent = true
  }
  const noted = (key: string, change: (one: Asked) => void, what: string) => {
    const one = asked.get(key)
    if (one === undefined) return broken('S8', `nothing is published that is not in the log, and ${what}`)
    change(one)
  }
  const isSent = ({ kind, id }: Asked): boolean => {
    const one = asked.get(`${kind} ${id}`)
    return one?.sent === true
  }
  return {
    committed,
    asksFor: (stream, id) => commands.has(`${stream} ${id}`),
    sent,
    scheduled: (id) => noted(`timer ${id}`, (one) => (one.sent = true), `the timer ${id} was set`),
    canceled: (id) => {
      noted(`cancellation ${id}`, (one) => (one.sent = true), `the timer ${id} was canceled`)
      const timer = asked.get(`timer ${id}`)
      if (timer !== undefined) timer.canceled = true
    },
    made: (id, hasResult) =>
      noted(`call ${id}`, (one) => (one.made = { hasResult }), `the call ${id} was made`),
    buried: (what, why) => {
      letters += 1
      broken('E4', `no letter dies unless it is poisoned, and ${what} did: ${why}`)
    },
    relayed: (commit) => {
      const missing = byCommit.get(placeOf(commit))?.find((one) => !isSent(one))
      if (missing !== undefined)
        broken(
          'S5',
          `a checkpoint passes no record that was not processed, and ${placeOf(commit)} was passed without its ${missing.kind} ${missing.id}`,
        )
    },
    complete: () => {
      for (const one of asked.values()) {
        const fault = unfinished(one, answerOf)
        if (fault !== undefined && letters === 0) return broken(...fault)
      }
    },
  }
}

/** What one list has and the other has not, in words; undefined where they are the same. */
const difference = (expected: ReadonlyArray<string>, found: ReadonlyArray<string>): string | undefined => {
  const missing = expected.find((words) => !found.includes(words))
  if (missing !== undefined) return `should set off what ${missing}, and does not`
  const surplus = found.find((words) => !expected.includes(words))
  return surplus === undefined ? undefined : `sets off what nothing asks for: it ${surplus}`
}

const placeOf = ({ stream, number }: Commit): string => `${stream}@${number}`
const keyOf = ({ kind, id }: Pick<Asked, 'kind' | 'id'>): string => `${kind} ${id}`

const askedBy = (by: string, delivery: Delivery): Asked => {
  const open = { by, sent: false, canceled: false }
  switch (delivery._tag) {
    case 'Dispatch':
      return { kind: 'command', id: delivery.envelope.id, stream: delivery.stream, ...open }
    case 'Call':
      return { kind: 'call', id: callMessage(delivery).id, stream: delivery.recorded.stream, ...open }
    case 'Schedule': {
      const { stream, envelope } = elapsed(delivery.timer.payload as unknown as TimerPayload)
      const { id, dueMs } = delivery.timer
      return { kind: 'timer', id, stream, elapsed: envelope.id, dueMs, ...open }
    }
    case 'CancelTimer':
      return { kind: 'cancellation', id: delivery.id, stream: '' as StreamName, ...open }
  }
}

const unfinished = (
  one: Asked,
  answerOf: LogBook['answerOf'],
): readonly [invariant: string, message: string] | undefined => {
  const { kind, id, by, stream } = one
  if (kind === 'command' && answerOf(stream, id as CommandId) === undefined)
    return [
      'E1',
      `every command that is asked for takes effect, and ${id}, which ${by} asks of ${stream}, did not`,
    ]
  if (kind === 'call' && one.made === undefined)
    return ['E1', `every call that is asked for is made, and ${id}, which ${by} asks for, was not`]
  if (kind === 'call' && one.made?.hasResult === true && answerOf(stream, id as CommandId) === undefined)
    return [
      'E1',
      `what a gateway answers is put on record, and its answer to ${id}, which ${by} asks for, was not`,
    ]
  if (
    kind === 'timer' &&
    !one.canceled &&
    one.elapsed !== undefined &&
    answerOf(stream, one.elapsed) === undefined
  )
    return ['E5', `every timer fires, and ${id}, which ${by} set for ${stream}, did not`]
  if (kind === 'cancellation' && !one.sent)
    return ['E1', `every timer is canceled that is to be, and ${id} was not`]
  return undefined
}
