/**
 * The claim check: what is too large for an item or a message lies in a bucket, under the hash of its content.
 *
 * Content-addressed, so that writing it twice is writing it once, and an object is never changed. It is put before
 * whatever names it. Objects never expire while a backup may name them. The S3 client is loaded at the first use.
 */
import { createHash } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'
import { E, type Fault, type TE, unavailable } from '@everfold/core'
import { errorName, type Patience, patiently } from '../patience.ts'

export interface ClaimCheck {
  /** The reference to redeem the bytes by. */
  put(this: void, bytes: Uint8Array): TE.TaskEither<Fault, string>
  get(this: void, reference: string): TE.TaskEither<Fault, Uint8Array>
}

export interface S3ClaimCheckOptions extends Patience {
  readonly bucket: string
  /** What every key begins with; nothing unless told. */
  readonly prefix?: string
  /** Made at the first use, so that a function that never meets a large commit never loads it. */
  client(this: void): S3Client | Promise<S3Client>
}

const WHAT = 'the claim check bucket'

export const s3ClaimCheck = (options: S3ClaimCheckOptions): ClaimCheck => {
  const { bucket, prefix = '' } = options
  let loaded: Promise<{ s3: typeof import('@aws-sdk/client-s3'); client: S3Client }> | undefined
  const load = () => {
    loaded ??= Promise.all([import('@aws-sdk/client-s3'), options.client()]).then(
      ([s3, client]) => ({ s3, client }),
      (error: unknown) => {
        // What failed once may go well at the next use.
        loaded = undefined
        throw error
      },
    )
    return loaded
  }
  return {
    put: (bytes) => async () => {
      const reference = sha256(bytes)
      const stored = await patiently(options, async () => {
        const { s3, client } = await load()
        const object = { Bucket: bucket, Key: prefix + reference, Body: bytes, IfNoneMatch: '*' }
        await client.send(new s3.PutObjectCommand(object))
      })
      if (E.isRight(stored) || errorName(stored.left) === 'PreconditionFailed') return E.right(reference)
      return E.left(unavailable(WHAT, stored.left))
    },
    get: (reference) => async () => {
      const read = await patiently(options, async () => {
        const { s3, client } = await load()
        const object = await client.send(new s3.GetObjectCommand({ Bucket: bucket, Key: prefix + reference }))
        return (await object.Body?.transformToByteArray()) ?? new Uint8Array()
      })
      if (E.isLeft(read)) return E.left(unavailable(WHAT, read.left))
      return sha256(read.right) === reference
        ? read
        : E.left(unavailable(WHAT, new Error(`the object ${prefix}${reference} is not what its name says`)))
    },
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
