/**
 * The digests by which a client of SQS knows that its message went through whole.
 *
 * Source: SQS Developer Guide, "Calculating the MD5 message digest for message attributes" (2026-11).
 */
import { createHash } from 'node:crypto'
import type { MessageAttribute, MessageAttributes } from './queue.ts'

const md5 = (data: string | Uint8Array): string => createHash('md5').update(data).digest('hex')

export const digestOfBody = (body: string): string => md5(body)

/** What stands for a deduplication id where a queue makes it of the content. */
export const contentId = (body: string): string => createHash('sha256').update(body).digest('hex')

const STRING = 1
const BINARY = 2

/** Undefined where there are none. */
export const digestOfAttributes = (attributes: MessageAttributes): string | undefined => {
  const named = Object.entries(attributes).toSorted(([one], [other]) => (one < other ? -1 : 1))
  if (named.length === 0) return undefined
  return md5(Buffer.concat(named.flatMap(([name, attribute]) => encoded(name, attribute))))
}

const encoded = (name: string, { dataType, stringValue, binaryValue }: MessageAttribute) => [
  ...counted(Buffer.from(name)),
  ...counted(Buffer.from(dataType)),
  Buffer.of(binaryValue === undefined ? STRING : BINARY),
  ...counted(binaryValue === undefined ? Buffer.from(stringValue ?? '') : Buffer.from(binaryValue, 'base64')),
]

const counted = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return [length, bytes]
}

/** What the attributes count towards the size of their message: name, type and value. */
export const sizeOfAttributes = (attributes: MessageAttributes): number =>
  Object.entries(attributes).reduce(
    (sum, [name, { dataType, stringValue = '', binaryValue = '' }]) =>
      sum +
      Buffer.byteLength(name) +
      Buffer.byteLength(dataType) +
      Buffer.byteLength(stringValue) +
      Buffer.byteLength(binaryValue, 'base64'),
    0,
  )
