/** Drives the event source mapping of a queue: receives, hands batches to a function, deletes what was done. */
import {
  type QueueInvocation,
  type QueueMapping,
  type QueueMappingSettings,
  type QueueMappingStep,
  queueMapping,
} from '../models/queue-mapping.ts'
import type { SimulatedFunction } from './lambda.ts'
import type { Stage } from './stage.ts'

/** A queue as its mapping uses it. */
export interface PolledQueue<Message> {
  /** Messages that are visible now; none where the call failed. */
  receive(this: void, limit: number): Promise<ReadonlyArray<Message>>
  delete(this: void, receipts: ReadonlyArray<string>): Promise<unknown>
  release(this: void, receipts: ReadonlyArray<string>): Promise<unknown>
  /** Whether there are messages, visible or not. */
  isEmpty(this: void): boolean
}

export interface QueueMappingOptions<Message> {
  readonly name: string
  readonly settings: QueueMappingSettings<Message>
  readonly queue: PolledQueue<Message>
  readonly target: SimulatedFunction<ReadonlyArray<Message>, unknown>
  /** How long a message that was received stays hidden. */
  readonly visibilityMs: number
}

export interface DrivenQueueMapping {
  /** Something was sent. */
  wake(this: void): void
}

/** How long a mapping that polls needs to hear of what was sent. */
const POLL_MS = 20

export const drivenQueueMapping = <Message>(
  { kernel, choose, tell, lane }: Stage,
  { name, settings, queue, target, visibilityMs }: QueueMappingOptions<Message>,
): DrivenQueueMapping => {
  const mapping: QueueMapping<Message> = queueMapping(settings)
  const actor = `mapping of ${name}`
  const point = { port: 'queue mapping', operation: name }
  lane(actor, actor)
  let { initial: state } = mapping
  let polls = 0
  let receiving = false
  let dueMs = Number.POSITIVE_INFINITY
  let cancel: (() => void) | undefined
  const wake = (afterMs: number) => {
    const atMs = kernel.nowMs() + afterMs
    if (dueMs <= atMs) return
    cancel?.()
    dueMs = atMs
    cancel = kernel.at(atMs, `${actor} polls`, () => {
      dueMs = Number.POSITIVE_INFINITY
      void kernel.as(actor, poll)
    })
  }
  const deviating = (key: string, offers: ReadonlyArray<string>) => {
    const deviation = offers.length === 0 ? undefined : choose(key, offers, point)
    if (deviation !== undefined) tell({ lane: actor, operation: 'polls', subject: name, key, deviation })
    return { nowMs: kernel.nowMs(), ...(deviation === undefined ? {} : { deviation }) }
  }
  const took = (step: QueueMappingStep<Message>) => {
    ;({ state } = step)
    if (step.deletes.length > 0) void kernel.as(actor, () => queue.delete(step.deletes))
    if (step.releases.length > 0) void kernel.as(actor, () => queue.release(step.releases))
    for (const invocation of step.invocations) void work(invocation)
    if (step.wakeMs !== undefined) wake(step.wakeMs - kernel.nowMs())
  }
  const handOut = () => {
    polls += 1
    took(mapping.next(state, deviating(`${actor}: poll ${polls}`, mapping.offers(state, kernel.nowMs()))))
  }
  const poll = async (): Promise<void> => {
    handOut()
    const limit = mapping.wanted(state)
    if (receiving || limit === 0) return
    receiving = true
    const messages = await queue.receive(limit)
    receiving = false
    if (messages.length > 0) {
      took(mapping.received(state, messages, kernel.nowMs()))
      handOut()
      wake(0)
    } else if (!queue.isEmpty()) wake(visibilityMs)
  }
  const work = async (invocation: QueueInvocation<Message>): Promise<void> => {
    const [first] = invocation.messages
    const what = first === undefined ? '' : settings.id(first)
    const outcome = await target.invoke(what, invocation.messages)
    const key = `${actor}: answer of ${what} ${invocation.id}`
    const at = deviating(key, mapping.answerOffers(outcome))
    const step = mapping.answered(state, { invocation: invocation.id, outcome }, at)
    took(step)
    wake(step.left.length > 0 ? visibilityMs : 0)
    if (step.left.length > 0) wake(0)
  }
  return { wake: () => wake(POLL_MS) }
}
