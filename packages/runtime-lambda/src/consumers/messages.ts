/**
 * A Lambda handler for a queue: takes the messages of an event in, each group in its order, the groups beside each
 * other, and reports those that have to come again.
 *
 * Of a group everything behind the first message that has to come again comes again too, so that nothing overtakes.
 * What can never go through goes to the dead letters at once, and what is behind it goes on; only where the dead
 * letters do not take it does it come again, until the queue's own redrive moves it. The event source mapping has to
 * have `ReportBatchItemFailures`, or else whatever is reported is deleted.
 * An event with records that no queue makes was meant for another function: it is thrown before anything is taken in.
 */
import {
  E,
  type Fault,
  hash,
  type InputFault,
  type InvalidInput,
  type Log,
  type Message,
} from '@everfold/core'
import type { DeadLetters } from '../dead-letters.ts'
import { messageIn, tokenOf } from '../letter.ts'
import { inParallel } from '../parallel.ts'
import type { ClaimCheck } from '../store/claim-check.ts'
import type { BatchResponse } from './batch-response.ts'
import { MalformedEvent } from './malformed-event.ts'

/** What becomes of a message. */
export type Settlement =
  | { readonly _tag: 'Done' }
  /** It comes again, and everything behind it in its group. */
  | { readonly _tag: 'ComeAgain'; readonly fault: Fault }
  /** It would never go through. */
  | { readonly _tag: 'Hopeless'; readonly reason: unknown }

export const DONE: Settlement = { _tag: 'Done' }
export const comeAgain = (fault: Fault): Settlement => ({ _tag: 'ComeAgain', fault })
export const hopeless = (reason: unknown): Settlement => ({ _tag: 'Hopeless', reason })

/** Takes in as many of a group's messages, from the first on, as it likes to at once: at least one. */
export type Work = (messages: ReadonlyArray<Message>) => Promise<ReadonlyArray<Settlement>>

export interface MessageConsumerOptions {
  readonly deadLetters: DeadLetters
  /** Where the bodies of large messages lie. */
  readonly claims?: ClaimCheck
  /** How many groups are worked on at once; 100 unless told. */
  readonly groups?: number
  /** Told of every message that comes again and of every dead letter, and why. */
  readonly log?: Log
}

export const messageConsumer =
  (options: MessageConsumerOptions, work: Work) =>
  async (event: unknown): Promise<BatchResponse> => {
    const arrivals = await arrivalsOf(event, options.claims)
    const failed = new Set<Arrival>()
    const lanes = Map.groupBy(arrivals, ({ lane }) => lane).values()
    await inParallel(lanes, options.groups ?? GROUPS, async (lane) => {
      const taken = await takeIn(options, work, lane)
      for (const arrival of lane.slice(taken)) failed.add(arrival)
    })
    const again = arrivals.filter((arrival) => failed.has(arrival))
    const nameless = again.flatMap(({ messageId, faults }) => (messageId === undefined ? faults : []))
    if (nameless.length > 0) throw malformed(nameless)
    return { batchItemFailures: again.map(({ messageId = '' }) => ({ itemIdentifier: messageId })) }
  }

const GROUPS = 100

// Reading

/** A record of the event, and the message in it or why there is none. */
interface Arrival {
  /** What it is reported by. AWS makes no record without. */
  readonly messageId: string | undefined
  /** What is in one lane keeps its order. */
  readonly lane: string
  /** As it came. */
  readonly body: string
  readonly message: E.Either<Settlement, Message>
  /** What is wrong with the record itself. */
  readonly faults: ReadonlyArray<InputFault>
}

const arrivalsOf = async (
  event: unknown,
  claims: ClaimCheck | undefined,
): Promise<ReadonlyArray<Arrival>> => {
  const records = fieldOf(event, 'Records')
  if (!Array.isArray(records) || records.length === 0)
    throw malformed([{ pointer: '/Records', detail: 'is not a list of records' }])
  const foreign = records.flatMap((record: unknown, at) =>
    fieldOf(record, 'messageId') === undefined && fieldOf(record, 'body') === undefined
      ? [notText(at, 'messageId'), notText(at, 'body')]
      : [],
  )
  if (foreign.length > 0) throw malformed(foreign)
  const arrivals: Array<Arrival> = []
  await inParallel(records.entries(), GROUPS, async ([at, record]) => {
    arrivals[at] = await arrivalOf(record, at, claims)
  })
  return arrivals
}

const arrivalOf = async (record: unknown, at: number, claims: ClaimCheck | undefined): Promise<Arrival> => {
  const body = fieldOf(record, 'body')
  const messageId = fieldOf(record, 'messageId')
  const faults = [
    ...(typeof messageId === 'string' && messageId !== '' ? [] : [notText(at, 'messageId')]),
    ...(typeof body === 'string' ? [] : [notText(at, 'body')]),
  ]
  const group = fieldOf(fieldOf(record, 'attributes'), 'MessageGroupId')
  const inGroup = typeof group === 'string' ? group : undefined
  const name = typeof messageId === 'string' && messageId !== '' ? messageId : undefined
  if (faults.length > 0 || typeof body !== 'string') {
    const invalid: InvalidInput = { _tag: 'InvalidInput', errors: faults }
    const whole = JSON.stringify(record) ?? 'undefined'
    return {
      messageId: name,
      lane: inGroup ?? `#${at}`,
      body: whole,
      message: E.left(hopeless(invalid)),
      faults,
    }
  }
  const message = await messageIn(body, claims)
  if (E.isRight(message))
    return { messageId: name, lane: inGroup ?? tokenOf(message.right.group), body, message, faults }
  const why = message.left._tag === 'InvalidInput' ? hopeless(message.left) : comeAgain(message.left)
  return { messageId: name, lane: inGroup ?? `#${at}`, body, message: E.left(why), faults }
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? (value as { readonly [name: string]: unknown })[name]
    : undefined

const notText = (at: number, field: string): InputFault => ({
  pointer: `/Records/${at}/${field}`,
  detail: 'is not text',
})

const malformed = (errors: ReadonlyArray<InputFault>): MalformedEvent =>
  new MalformedEvent('an event of a queue', { _tag: 'InvalidInput', errors })

// Taking in

/** How many of the lane's records are taken in, from the first on. */
const takeIn = async (
  options: MessageConsumerOptions,
  work: Work,
  lane: ReadonlyArray<Arrival>,
): Promise<number> => {
  let taken = 0
  while (taken < lane.length) {
    const settlements = await settlementsOf(work, lane.slice(taken))
    for (const settlement of settlements) {
      const arrival = lane[taken]
      if (arrival === undefined || !(await settled(options, arrival, settlement))) return taken
      taken += 1
    }
    if (settlements.length === 0) return taken
  }
  return taken
}

/** Those of the first messages, up to one that cannot be read, or that one's own. */
const settlementsOf = async (
  work: Work,
  rest: ReadonlyArray<Arrival>,
): Promise<ReadonlyArray<Settlement>> => {
  const messages: Array<Message> = []
  for (const { message } of rest) {
    if (E.isLeft(message)) return messages.length === 0 ? [message.left] : work(messages)
    messages.push(message.right)
  }
  return work(messages)
}

/** Whether the record is done with. */
const settled = async (
  { deadLetters, log }: MessageConsumerOptions,
  { messageId, lane, body }: Arrival,
  settlement: Settlement,
): Promise<boolean> => {
  switch (settlement._tag) {
    case 'Done':
      return true
    case 'ComeAgain':
      log?.({
        level: 'warn',
        message: 'message comes again',
        messageId,
        group: lane,
        fault: settlement.fault,
      })
      return false
    case 'Hopeless': {
      const { reason } = settlement
      log?.({ level: 'error', message: 'dead letter', messageId, group: lane, reason })
      const buried = await deadLetters.send({ id: messageId ?? hash(body), group: lane, body, reason })()
      if (E.isRight(buried)) return true
      log?.({ level: 'warn', message: 'message comes again', messageId, group: lane, fault: buried.left })
      return false
    }
  }
}
