/** What the mapping of a queue holds, and which of it is the next batch. */
import { QUEUE_MAPPING } from '../limits.ts'

/** How the mapping reads a message, of whatever kind. */
export interface MessageReading<Message> {
  /** What `batchItemFailures` names it by: SQS's `messageId`, or the id of a port's message. */
  id(this: void, message: Message): string
  receipt(this: void, message: Message): string
  /** Of a FIFO queue; undefined on a standard queue. */
  group(this: void, message: Message): string | undefined
}

export interface QueueMappingSettings<Message> extends MessageReading<Message> {
  /** 10 unless told. */
  readonly batchSize?: number
  /** Of a standard queue; 0 unless told. */
  readonly maximumBatchingWindowMs?: number
  /** How many batches may be worked on at once; 5, as many as Lambda begins with, unless told. */
  readonly maximumConcurrency?: number
  readonly reportBatchItemFailures?: boolean
  /** What is not meant is deleted unseen. */
  readonly filter?: (message: Message) => boolean
  /** What a message adds to the payload, in bytes; nothing unless told. */
  readonly sizeOf?: (message: Message) => number
}

export interface QueueInvocation<Message> {
  readonly id: string
  readonly messages: ReadonlyArray<Message>
}

interface RunningBatch<Message> extends QueueInvocation<Message> {
  /** Its messages may be received by others; it goes on nevertheless. */
  readonly visible: boolean
}

export interface QueueMappingState<Message> {
  /** What waits for a batch, in the order in which it was received. */
  readonly waiting: ReadonlyArray<{ readonly message: Message; readonly receivedMs: number }>
  readonly running: ReadonlyArray<RunningBatch<Message>>
  readonly invocations: number
}

/** The settings with everything told. */
export type Settled<Message> = Required<QueueMappingSettings<Message>>

/** What may be handed out now: messages of groups that nobody works on, if they are enough or have waited enough. */
export const nextBatch = <Message>(
  settings: Settled<Message>,
  state: QueueMappingState<Message>,
  nowMs: number,
): ReadonlyArray<Message> => {
  const free = freeOf(settings, state)
  const batch = withinPayload(
    settings,
    free.slice(0, settings.batchSize).map(({ message }) => message),
  )
  const readyMs = readyAtMs(settings, state)
  return readyMs === undefined || readyMs > nowMs ? [] : batch
}

const freeOf = <Message>(
  { group }: Settled<Message>,
  { waiting, running }: QueueMappingState<Message>,
): QueueMappingState<Message>['waiting'] => {
  if (waiting.length === 0) return waiting
  const busy = new Set(
    running.filter(({ visible }) => !visible).flatMap(({ messages }) => messages.map(group)),
  )
  return waiting.filter(({ message }) => {
    const its = group(message)
    return its === undefined || !busy.has(its)
  })
}

const withinPayload = <Message>(
  { sizeOf }: Settled<Message>,
  messages: ReadonlyArray<Message>,
): ReadonlyArray<Message> => {
  let bytes = 0
  const beyond = messages.findIndex((message, at) => {
    bytes += sizeOf(message)
    return at > 0 && bytes > QUEUE_MAPPING.payloadBytes
  })
  return beyond < 0 ? messages : messages.slice(0, beyond)
}

/** When the next batch can be handed out; undefined where nothing waits, or no more batches may run. */
export const readyAtMs = <Message>(
  settings: Settled<Message>,
  state: QueueMappingState<Message>,
): number | undefined => {
  if (state.running.length >= settings.maximumConcurrency) return undefined
  const free = freeOf(settings, state)
  const [first] = free
  if (first === undefined) return undefined
  const together = free.slice(0, settings.batchSize).map(({ message }) => message)
  const full = free.length >= settings.batchSize || withinPayload(settings, together).length < together.length
  return full ? first.receivedMs : first.receivedMs + settings.maximumBatchingWindowMs
}
