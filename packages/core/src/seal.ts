/**
 * Sealed values: personal data under a key of its subject. Destroying the key erases every copy, in every log,
 * snapshot and backup (crypto-shredding).
 *
 * The cipher is AES-SIV (RFC 5297): the same text under the same key gives the same box, so a fingerprint over the
 * box tells a repeated payload from another one, and is a keyed hash that says nothing to whoever lacks the key.
 */
import { aessiv } from '@noble/ciphers/aes.js'
import { bytesToUtf8, utf8ToBytes } from '@noble/ciphers/utils.js'
import { base64urlnopad } from '@scure/base'
import * as t from 'io-ts'
import { type Codec, decode, record, text } from './codec.ts'
import { type Fault, unavailable } from './fault.ts'
import { E, type TE } from './fp.ts'
import type { KeyRing } from './ports/key-ring.ts'

/** What events, state and snapshots hold instead of personal data. */
export interface Sealed {
  readonly _tag: 'Sealed'
  readonly subject: string
  readonly box: string
}
export const Sealed: Codec<Sealed> = record('Sealed', {
  _tag: t.literal('Sealed'),
  subject: text('Subject'),
  box: text('Box', { maxLength: 100_000, pattern: /^[A-Za-z0-9_-]+$/ }),
})

/** The subject's key is destroyed: what it sealed cannot be read, and nothing more can be sealed. */
export interface Erased {
  readonly _tag: 'Erased'
  readonly subject: string
}

/** The subject is bound to the box, so a box moved to another subject does not open. */
export const seal =
  (keys: KeyRing) =>
  (subject: string, value: unknown): TE.TaskEither<Fault | Erased, Sealed> =>
  async () => {
    const key = await keys.keyOf(subject)()
    if (E.isLeft(key)) return key
    if (key.right === undefined) return E.left({ _tag: 'Erased', subject })
    const box = aessiv(key.right, utf8ToBytes(subject)).encrypt(utf8ToBytes(JSON.stringify(value)))
    return E.right({ _tag: 'Sealed', subject, box: base64urlnopad.encode(box) })
  }

/** The value, or that it is erased; a box that was tampered with is a fault. */
export const unseal =
  (keys: KeyRing) =>
  <A>(codec: Codec<A>, { subject, box }: Sealed): TE.TaskEither<Fault | Erased, A> =>
  async () => {
    const key = await keys.keyOf(subject)()
    if (E.isLeft(key)) return key
    if (key.right === undefined) return E.left({ _tag: 'Erased', subject })
    const opened = open(key.right, subject, box)
    if (E.isLeft(opened)) return opened
    const value = decode(codec, opened.right)
    return E.isLeft(value)
      ? E.left(unavailable(`a sealed ${codec.name} of another shape`, value.left))
      : value
  }

const open = (key: Uint8Array, subject: string, box: string): E.Either<Fault, unknown> =>
  E.tryCatch(
    () =>
      JSON.parse(
        bytesToUtf8(aessiv(key, utf8ToBytes(subject)).decrypt(base64urlnopad.decode(box))),
      ) as unknown,
    (cause) => unavailable(`the sealed value of ${subject}`, cause),
  )
