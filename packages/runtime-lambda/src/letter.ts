/**
 * What a queue's message looks like on SQS: JSON with the message's own id and group, and its body or where that lies.
 *
 * The ids are in the letter because those of SQS allow fewer characters: what does not fit there is hashed, and never
 * read back.
 */
import {
  decode,
  E,
  type Fault,
  hash,
  type InvalidInput,
  type Json,
  type Message,
  record,
  text,
  unavailable,
} from '@everfold/core'
import { SQS } from './limits.ts'
import type { ClaimCheck } from './store/claim-check.ts'

const Address = record(
  'Letter',
  { id: text('MessageId', { maxLength: 128 }), group: text('MessageGroup', { maxLength: 128 }) },
  { claim: text('Claim', { maxLength: 1024 }) },
)

/** The letter with its message inside. */
export const letterOf = ({ id, group, body }: Message): string => sendable({ id, group, body })

/** The letter of a message whose body has been left at the claim check. */
export const claimLetterOf = ({ id, group }: Message, claim: string): string => sendable({ id, group, claim })

/**
 * SQS takes only the characters of XML 1.0; JSON has escaped all others but two. Those beyond 16 bits are escaped too,
 * because implementations differ on them.
 */
const sendable = (letter: object): string =>
  JSON.stringify(letter).replace(/[\uD800-\uDFFF\uFFFE\uFFFF]/g, escaped)

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16)}`

/** The message in a letter: invalid input where it is none, a fault where the claim check does not give its body. */
export const messageIn = async (
  letter: string,
  claims: ClaimCheck | undefined,
): Promise<E.Either<InvalidInput | Fault, Message>> => {
  const parsed = parse(letter)
  if (E.isLeft(parsed)) return parsed
  if (typeof parsed.right !== 'object' || parsed.right === null || Array.isArray(parsed.right))
    return notALetter('', 'is not an object')
  const { body, ...rest } = parsed.right as { readonly [key: string]: Json }
  const address = decode(Address, rest)
  if (E.isLeft(address)) return address
  const { id, group, claim } = address.right
  if (claim === undefined)
    return body === undefined ? notALetter('/body', 'is required') : E.right({ id, group, body })
  if (body !== undefined) return notALetter('/body', 'is given beside a claim')
  // The fault of whoever reads, which a deployment mends; the message is as good as any.
  if (claims === undefined) return E.left(unavailable('the claim check: none is configured'))
  const bytes = await claims.get(claim)()
  if (E.isLeft(bytes)) return bytes
  const claimed = parse(new TextDecoder().decode(bytes.right))
  return E.isLeft(claimed) ? notALetter('/claim', 'is not JSON') : E.right({ id, group, body: claimed.right })
}

const parse = (json: string): E.Either<InvalidInput, Json> => {
  try {
    return E.right(JSON.parse(json) as Json)
  } catch {
    return notALetter('', 'is not JSON')
  }
}

const notALetter = (pointer: string, detail: string): E.Either<InvalidInput, never> =>
  E.left({ _tag: 'InvalidInput', errors: [{ pointer, detail }] })

const TOKEN = new RegExp(`^[\\x21-\\x7e]{1,${SQS.tokenLength}}$`)

/** A group or an id as SQS takes it: as it stands where it can, or else hashed. */
export const tokenOf = (name: string): string => (TOKEN.test(name) ? name : hash(name))

/** Whether the queue of this address or ARN keeps the order within a group. */
export const isFifo = (queue: string): boolean => queue.endsWith('.fifo')
