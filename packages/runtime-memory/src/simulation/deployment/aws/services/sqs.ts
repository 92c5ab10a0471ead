/** Simulated SQS: its queues, which tell whoever listens of messages, and how event source mappings poll them. */
import { offersOf } from '../../../models/offers.ts'
import {
  type Letter,
  type Received,
  type SqsAnswer,
  type SqsRequest,
  type SqsState,
  sqsModel,
} from '../../../models/sqs.ts'
import { sqsWire } from '../../../sdk/sqs.ts'
import type { PolledQueue } from '../../queue-mapping.ts'
import type { Stage } from '../../stage.ts'
import { sqsSubject } from '../subjects.ts'
import type { Endpoint } from '../transport.ts'
import { atOf, type Service } from './service.ts'

/** Told of each message that a queue took in. */
export type SentListener = (queue: string, body: string) => void

export type DeletedListener = (message: Pick<Received, 'messageId' | 'body'>) => void

export interface SqsService extends Service<SqsState> {
  sent(this: void, listener: SentListener): void
  /** A letter of one of AWS's own services; whether the queue took it. */
  send(this: void, queue: string, letter: Letter): boolean
  /** The queue as an event source mapping uses it. */
  polled(this: void, queue: string, visibilityMs: number, deleted?: DeletedListener): PolledQueue<Received>
}

export const sqsService = (stage: Stage, initial: SqsState): SqsService => {
  let state = initial
  const listeners: Array<SentListener> = []
  const step = (request: SqsRequest, deviation?: string): SqsAnswer => {
    const stepped = sqsModel.step(state, request, atOf(stage, deviation))
    state = stepped.state
    return stepped.answer
  }
  const sending = (queue: string, bodies: ReadonlyArray<string>) => {
    for (const listener of listeners) for (const body of bodies) listener(queue, body)
  }
  const endpoint: Endpoint = {
    name: 'sqs',
    target: 'AmazonSQS.',
    subjectOf: sqsSubject,
    offers: (request) => sqsWire.offers(state, request),
    step: (request, at) => {
      const before = state
      const stepped = sqsWire.wire(before, request, at)
      state = stepped.state
      tellSent(before, state, sending)
      return stepped.answer
    },
  }
  return {
    endpoints: [endpoint],
    state: () => state,
    sent: (listener) => void listeners.push(listener),
    send: (queue, letter) => {
      const taken = step({ _tag: 'Send', queue, letter })._tag === 'Sent'
      if (taken) sending(queue, [letter.body])
      return taken
    },
    polled: (queue, visibilityMs, deleted) =>
      polledQueue(stage, { step, state: () => state }, { queue, visibilityMs, deleted }),
  }
}

/** The queues that took messages in, found by what they hold more than before. */
const tellSent = (
  before: SqsState,
  after: SqsState,
  sending: (queue: string, bodies: ReadonlyArray<string>) => void,
): void => {
  if (before.made === after.made) return
  for (const [name, queue] of after.queues) {
    const known = before.queues.get(name)
    if (known === queue) continue
    const ids = new Set(known?.messages.map(({ messageId }) => messageId))
    sending(
      name,
      queue.messages.filter(({ messageId }) => !ids.has(messageId)).map(({ body }) => body),
    )
  }
}

interface Inside {
  step(this: void, request: SqsRequest, deviation?: string): SqsAnswer
  state(this: void): SqsState
}

interface Polling {
  readonly queue: string
  readonly visibilityMs: number
  readonly deleted: DeletedListener | undefined
}

const polledQueue = (
  { kernel, choose, deviates }: Stage,
  { step, state }: Inside,
  { queue, visibilityMs, deleted }: Polling,
): PolledQueue<Received> => {
  const perform = kernel.port('sqs')
  const point = { port: 'sqs', operation: 'Receive' }
  const messages = () => state().queues.get(queue)?.messages ?? []
  let receives = 0
  const receive = (limit: number) => {
    const request = { _tag: 'Receive', queue, limit, visibilitySeconds: visibilityMs / 1000 } as const
    receives += 1
    const offers = offersOf(sqsModel.offers(state(), request))
    const key = `${queue}: receive ${receives}`
    const deviation = offers.length === 0 ? undefined : choose(key, offers, point)
    if (deviation !== undefined) deviates(key, deviation)
    const answer = step(request, deviation)
    return answer._tag === 'Received' ? answer.messages : []
  }
  const remove = (receipts: ReadonlyArray<string>) => () => {
    for (const receipt of receipts) {
      const message = messages().find((one) => one.receipt === receipt)
      step({ _tag: 'Delete', queue, receipt })
      if (message !== undefined) deleted?.(message)
    }
  }
  const release = (receipts: ReadonlyArray<string>) => () => {
    for (const receipt of receipts) step({ _tag: 'ChangeVisibility', queue, receipt, visibilitySeconds: 0 })
  }
  const failing = { unanswered: () => undefined }
  const nothing = { unanswered: (): ReadonlyArray<Received> => [] }
  return {
    receive: (limit) => perform('Receive', queue, () => receive(limit), nothing),
    delete: (receipts) => perform('Delete', queue, remove(receipts), failing),
    release: (receipts) => perform('ChangeVisibility', queue, release(receipts), failing),
    isEmpty: () => messages().length === 0,
  }
}
