/**
 * Settling what was received, by its receipt.
 *
 * A FIFO queue takes the latest receipt alone, and only while its message is in flight. A standard queue takes an old
 * one as well, and may give the message once more though it was deleted.
 *
 * Source: AWS SDK, DeleteMessageCommand and ChangeMessageVisibilityCommand; AWS re:Post, "ReceiptHandleIsInvalid" or
 * "InvalidParameterValue" errors (2026-11).
 */
import { SQS } from '../../limits.ts'
import { invalid, type Refusal, refused, type Visibility } from './messages.ts'
import { isFifo, isInFlight, type Kept, type Queue } from './queue.ts'

/** What is left of the queue, or why nothing was done. */
export type Settled = { readonly queue: Queue } | { readonly refusal: Refusal }

const RECEIPT = /^AQEB\/([0-9a-f-]{36})\/\d+$/

export const remove = (
  queue: Queue,
  receipt: string,
  nowMs: number,
  deviation: string | undefined,
): Settled => {
  const found = find(queue, receipt)
  if ('refusal' in found) return found
  const { kept } = found
  if (kept === undefined) return { queue }
  if (isFifo(queue) && !holds(kept, receipt, nowMs))
    return { refusal: invalid('ReceiptHandle', receipt, 'The receipt handle has expired.') }
  if (deviation === 'undone' && !isFifo(queue)) return { queue }
  return { queue: { ...queue, messages: queue.messages.filter((one) => one !== kept) } }
}

export const changeVisibility = (
  queue: Queue,
  { receipt, visibilitySeconds: seconds }: Visibility,
  nowMs: number,
): Settled => {
  if (!(seconds >= 0 && seconds <= SQS.longestVisibilitySeconds))
    return { refusal: invalid('VisibilityTimeout', seconds, `At most ${SQS.longestVisibilitySeconds}.`) }
  const found = find(queue, receipt)
  if ('refusal' in found) return found
  const { kept } = found
  if (kept === undefined) return { refusal: invalid('ReceiptHandle', receipt, GONE) }
  if (!isInFlight(kept, nowMs) || (isFifo(queue) && kept.receipt !== receipt))
    return { refusal: refused('MessageNotInflight', 'The message referred to is not in flight.') }
  const changed = { ...kept, visibleMs: nowMs + seconds * 1000 }
  return { queue: { ...queue, messages: queue.messages.map((one) => (one === kept ? changed : one)) } }
}

const GONE = 'Message does not exist or is not available for visibility timeout change.'

const find = (
  queue: Queue,
  receipt: string,
): { readonly kept: Kept | undefined } | { readonly refusal: Refusal } => {
  const [, id] = RECEIPT.exec(receipt) ?? []
  if (id === undefined)
    return {
      refusal: refused(
        'ReceiptHandleIsInvalid',
        `The input receipt handle "${receipt}" is not a valid receipt handle.`,
      ),
    }
  return { kept: queue.messages.find(({ messageId }) => messageId === id) }
}

const holds = (kept: Kept, receipt: string, nowMs: number): boolean =>
  kept.receipt === receipt && isInFlight(kept, nowMs)
