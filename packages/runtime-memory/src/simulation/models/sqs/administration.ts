/** Making queues, and reading and changing what they are set to. */
import { SQS } from '../../limits.ts'
import type { Stepped } from '../model.ts'
import { type Refusal, refused, type SqsAnswer } from './messages.ts'
import {
  arnOf,
  isDelayed,
  isFifo,
  isInFlight,
  type Queue,
  redriveOf,
  type SqsState,
  settingsOf,
  urlOf,
  withQueue,
} from './queue.ts'

type Attributes = Readonly<Record<string, string>>

/** Making a queue that is there, with the same attributes, is nothing. */
export const create = (
  state: SqsState,
  name: string,
  attributes: Attributes,
  nowMs: number,
): Stepped<SqsState, SqsAnswer> => {
  const answer: SqsAnswer = { _tag: 'Queue', url: urlOf(name) }
  const there = state.queues.get(name)
  const refusal = there === undefined ? refusalOf(name, attributes) : differing(there, attributes)
  if (refusal !== undefined) return { state, answer: { _tag: 'Refused', ...refusal } }
  if (there !== undefined) return { state, answer }
  const queue: Queue = {
    name,
    attributes,
    createdMs: nowMs,
    modifiedMs: nowMs,
    messages: [],
    sendings: new Map(),
    attempts: new Map(),
  }
  return { state: withQueue(state, queue), answer }
}

const NAME = new RegExp(`^(?=.{1,${SQS.nameLength}}$)[\\w-]+(\\.fifo)?$`)

const refusalOf = (name: string, attributes: Attributes): Refusal | undefined => {
  if (!NAME.test(name))
    return refused(
      'InvalidParameterValue',
      'Can only include alphanumeric characters, hyphens, or underscores.',
    )
  if ((attributes['FifoQueue'] === 'true') !== isFifo({ name }))
    return refused('InvalidParameterValue', 'The name of a FIFO queue can only end with the .fifo suffix.')
  return undefined
}

const differing = (there: Queue, attributes: Attributes): Refusal | undefined => {
  const settings = settingsOf(there)
  const different = Object.entries(attributes).find(([name, value]) => settings[name] !== value)
  return different === undefined
    ? undefined
    : refused('QueueNameExists', `A queue already exists with a different value for ${different[0]}.`)
}

export const change = (
  state: SqsState,
  queue: Queue,
  attributes: Attributes,
  nowMs: number,
): Stepped<SqsState, SqsAnswer> => ({
  state: withQueue(state, {
    ...queue,
    attributes: { ...queue.attributes, ...attributes },
    modifiedMs: nowMs,
  }),
  answer: { _tag: 'Done' },
})

/** Of what is set, and of what is in the queue. */
export const attributesOf = (queue: Queue, nowMs: number): Attributes => {
  const inFlight = queue.messages.filter((one) => isInFlight(one, nowMs)).length
  const delayed = queue.messages.filter((one) => isDelayed(one, nowMs)).length
  return {
    ...settingsOf(queue),
    QueueArn: arnOf(queue.name),
    ApproximateNumberOfMessages: String(queue.messages.length - inFlight - delayed),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: String(Math.floor(queue.createdMs / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.modifiedMs / 1000)),
  }
}

/** The queues whose dead letters come to this one. */
export const sourcesOf = (state: SqsState, queue: Queue): ReadonlyArray<string> =>
  [...state.queues.values()]
    .filter((one) => redriveOf(one)?.deadLetterTargetArn === arnOf(queue.name))
    .map(({ name }) => urlOf(name))
