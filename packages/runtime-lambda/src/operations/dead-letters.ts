/** What could not be delivered: looking at it, and sending it back to where it was to be worked on. */
import {
  type Aggregates,
  aggregatesOf,
  type CommandId,
  callOf,
  dispatchOf,
  E,
  type Fault,
  type InputFault,
  type InvalidInput,
  type Json,
  type Service,
  type StreamName,
  type TE,
} from '@everfold/core'
import { messageIn } from '../letter.ts'
import type { ClaimCheck } from '../store/claim-check.ts'
import type { DeadLetterQueue, DeadMessage } from './dead-letter-queue.ts'

/** What a message carries, or why it does not decode. */
export type Content =
  | {
      readonly _tag: 'Command'
      readonly stream: StreamName
      readonly commandId: CommandId
      /** When the command arrived, in milliseconds since 1970. */
      readonly timeMs: number
      readonly command: unknown
    }
  | {
      readonly _tag: 'Call'
      readonly gateway: string
      readonly stream: StreamName
      readonly commit: number
      readonly index: number
    }
  | { readonly _tag: 'Undecodable'; readonly errors: ReadonlyArray<InputFault> }
  /** The claim check does not give it now. */
  | { readonly _tag: 'NotAvailable'; readonly fault: Fault }

export interface DeadLetter {
  readonly message: DeadMessage
  readonly content: Content
}

export interface Reading {
  readonly service: Service
  readonly queue: DeadLetterQueue
  readonly claims?: ClaimCheck | undefined
}

/** What the claim check does not give now may be there later; what is behind it is looked at all the same. */
const reader = ({ service, claims }: Reading) => {
  const aggregates = aggregatesOf(service)
  const gateways = new Set(service.gateways.map(({ name }) => name))
  return async ({ body }: DeadMessage): Promise<Content> => {
    const message = await messageIn(body, claims)
    if (E.isRight(message)) return contentOf(aggregates, gateways, message.right.body)
    const { left } = message
    return left._tag === 'InvalidInput' ? undecodable(left) : { _tag: 'NotAvailable', fault: left }
  }
}

const undecodable = ({ errors }: InvalidInput): Content => ({ _tag: 'Undecodable', errors })

const contentOf = (aggregates: Aggregates, gateways: ReadonlySet<string>, body: Json): Content => {
  if (typeof body === 'object' && body !== null && 'gateway' in body) {
    const call = callOf(body)
    if (E.isLeft(call)) return undecodable(call.left)
    if (gateways.has(call.right.gateway)) return { _tag: 'Call', ...call.right }
    const detail = `is no gateway of this service: ${call.right.gateway}`
    return { _tag: 'Undecodable', errors: [{ pointer: '/gateway', detail }] }
  }
  const carried = dispatchOf(aggregates, body)
  if (E.isLeft(carried)) return undecodable(carried.left)
  const { stream, envelope } = carried.right.dispatch
  const { command } = (body as unknown as { readonly envelope: { readonly command: unknown } }).envelope
  return { _tag: 'Command', stream, commandId: envelope.id, timeMs: envelope.timeMs, command }
}

/** Gives up to `max` messages to `onLetter`, and makes them all visible again. */
export const listDeadLetters =
  (reading: Reading, max: number) =>
  (onLetter: (letter: DeadLetter) => void): TE.TaskEither<Fault, number> =>
  async () => {
    const walked = await walk(reading, max, async (letter) => {
      onLetter(letter)
      return 'leave'
    })
    return E.isLeft(walked) ? walked : E.right(walked.right.length)
  }

export type Left =
  | { readonly letter: DeadLetter; readonly why: 'undecodable' | 'failed again' }
  | { readonly letter: DeadLetter; readonly why: 'not available' | 'not taken'; readonly fault: Fault }

export interface Replayed {
  readonly sent: number
  /** What stays in the dead-letter queue. */
  readonly left: ReadonlyArray<Left>
  /** About how many more stay, which were not handed out: a FIFO queue keeps a group back behind what is left of it. */
  readonly unseen: number
}

export interface ReplayOptions {
  /** The queue to send to. */
  readonly to: string
  readonly max?: number | undefined
}

/**
 * Sends each message that decodes to the queue, and deletes it here once that has taken it. A crash between the two
 * sends it twice; its command counts once by its id. What comes back while this runs has failed again, and stays.
 */
export const replayDeadLetters =
  (reading: Reading, { to, max = Number.POSITIVE_INFINITY }: ReplayOptions) =>
  (onLetter: (letter: DeadLetter, count: number) => void = () => {}): TE.TaskEither<Fault, Replayed> =>
  async () => {
    const { queue } = reading
    const bodies = new Set<string>()
    const left: Array<Left> = []
    let sent = 0
    const walked = await walk(reading, max, async (letter) => {
      const { message, content } = letter
      onLetter(letter, sent + left.length + 1)
      if (content._tag === 'NotAvailable') {
        left.push({ letter, why: 'not available', fault: content.fault })
        return 'leave'
      }
      if (content._tag === 'Undecodable' || bodies.has(message.body)) {
        left.push({ letter, why: content._tag === 'Undecodable' ? 'undecodable' : 'failed again' })
        return 'leave'
      }
      const taken = await queue.sendTo(to, message)()
      if (E.isLeft(taken)) {
        left.push({ letter, why: 'not taken', fault: taken.left })
        return 'leave'
      }
      bodies.add(message.body)
      sent += 1
      return 'delete'
    })
    if (E.isLeft(walked)) return walked
    const size = await queue.size()()
    return E.isLeft(size) ? size : E.right({ sent, left, unseen: Math.max(0, size.right - left.length) })
  }

/** Each message once, until there are no more; what is not deleted is visible again at the end, also after a fault. */
const walk = async (
  reading: Reading,
  max: number,
  visit: (letter: DeadLetter) => Promise<'delete' | 'leave'>,
): Promise<E.Either<Fault, ReadonlyArray<string>>> => {
  const { queue } = reading
  const hidden = new Map<string, string>()
  const walked = await visitAll(reading, { max, hidden, visit })
  const released = await queue.release([...hidden.values()])()
  if (E.isLeft(walked)) return walked
  return E.isLeft(released) ? released : walked
}

interface Walk {
  readonly max: number
  /** The receipts of what was left, by the messages' ids. */
  readonly hidden: Map<string, string>
  readonly visit: (letter: DeadLetter) => Promise<'delete' | 'leave'>
}

const visitAll = async (
  reading: Reading,
  { max, hidden, visit }: Walk,
): Promise<E.Either<Fault, ReadonlyArray<string>>> => {
  const { queue } = reading
  const read = reader(reading)
  const seen = new Set<string>()
  // What was left is visible again after a while, and then in front of what was never seen; receiving hides it again.
  let stale = 0
  for (;;) {
    const received = seen.size < max ? await queue.receive()() : E.right([])
    if (E.isLeft(received)) return received
    for (const { messageId, receipt } of received.right) hidden.set(messageId, receipt)
    const fresh = received.right.filter(({ messageId }) => !seen.has(messageId))
    stale = fresh.length === 0 ? stale + 1 : 0
    if (received.right.length === 0 || stale > seen.size) return E.right([...seen])
    for (const message of fresh.slice(0, max - seen.size)) {
      seen.add(message.messageId)
      const content = await read(message)
      if ((await visit({ message, content })) === 'leave') continue
      const deleted = await queue.delete([message.receipt])()
      if (E.isLeft(deleted)) return deleted
      hidden.delete(message.messageId)
    }
  }
}
