/**
 * Core's key ring on KMS and a DynamoDB table of its own.
 *
 * A subject's key is a data key of KMS. The table holds it encrypted under a master key that never leaves KMS, bound to
 * its subject by the encryption context; neither the table nor KMS alone gives it away. The first of those who make a
 * key at once wins, and the others take its key. Destroying replaces the item by a tombstone without the key, which
 * nothing ever replaces. A subject is named by its hash, because an encryption context is written to audit logs.
 *
 * The table must have no point-in-time recovery, no stream and no backups: what is destroyed must be nowhere else.
 */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms'
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { E, type Fault, hash, type KeyRing, unavailable } from '@everfold/core'
import { type KeyCache, type KeyCacheOptions, keyCache } from './key-cache.ts'
import { type Patience, patiently, patientlyOr } from './patience.ts'

export interface KmsKeyRingOptions extends Patience {
  readonly kms: KMSClient
  /** The master key: its id, ARN or alias. */
  readonly masterKey: string
  readonly client: DynamoDBDocumentClient
  readonly table: string
  /** Keeps keys in memory; without it, a key is gone everywhere as soon as it is destroyed. */
  readonly cache?: KeyCacheOptions
}

const KEY_BYTES = 64

export const kmsKeyRing = (options: KmsKeyRingOptions): KeyRing => {
  const { clock } = options
  const cache: KeyCache = options.cache === undefined ? NO_CACHE : keyCache(options.cache)
  let destructions = 0
  return {
    keyOf: (subject) => async () => {
      const readMs = clock.nowMs()
      const known = cache.get(subject, readMs)
      if (known !== undefined) return E.right(known)
      const before = destructions
      const key = await readOrMake(options, hash(subject))
      // A key that was read while one was destroyed here may be that one.
      if (E.isRight(key) && key.right !== undefined && before === destructions)
        cache.set(subject, key.right, readMs)
      return key
    },
    destroy: (subject) => async () => {
      destructions += 1
      cache.delete(subject)
      const destroyed = await bury(options, hash(subject))
      destructions += 1
      cache.delete(subject)
      return destroyed
    },
  }
}

const NO_CACHE: KeyCache = { get: () => undefined, set: () => {}, delete: () => {} }

/** A key encrypted, or the tombstone of one. */
interface Item {
  readonly pk: string
  readonly key?: Uint8Array
  readonly destroyedMs?: number
}

type Key = E.Either<Fault, Uint8Array | undefined>

const TABLE = 'the table of keys'
const KMS = 'the key management service'

const readOrMake = async (options: KmsKeyRingOptions, pk: string): Promise<Key> => {
  const { client, table } = options
  const get = new GetCommand({ TableName: table, Key: { pk }, ConsistentRead: true })
  const found = await patientlyOr(options, TABLE, () => client.send(get))
  if (E.isLeft(found)) return found
  const { Item: item } = found.right
  return item === undefined ? make(options, pk) : keyIn(options, item as Item)
}

const keyIn = async (options: KmsKeyRingOptions, { pk, key, destroyedMs }: Item): Promise<Key> => {
  if (destroyedMs !== undefined) return E.right(undefined)
  if (key === undefined) return E.left(unavailable(`${TABLE}: neither a key nor a tombstone at ${pk}`))
  const decrypt = new DecryptCommand({
    CiphertextBlob: key,
    EncryptionContext: { subject: pk },
    KeyId: options.masterKey,
  })
  const decrypted = await patientlyOr(options, KMS, () => options.kms.send(decrypt))
  return E.isLeft(decrypted) ? decrypted : whole(decrypted.right.Plaintext)
}

const whole = (key: Uint8Array | undefined): E.Either<Fault, Uint8Array> =>
  key?.length === KEY_BYTES
    ? E.right(Uint8Array.from(key))
    : E.left(unavailable(`${KMS}: a key of ${key?.length} bytes, not of ${KEY_BYTES}`))

/** A key is used only once it is known to be the subject's: an append without an answer is made again. */
const make = async (options: KmsKeyRingOptions, pk: string): Promise<Key> => {
  const { kms, masterKey, client, table, clock } = options
  const generate = new GenerateDataKeyCommand({
    KeyId: masterKey,
    NumberOfBytes: KEY_BYTES,
    EncryptionContext: { subject: pk },
  })
  const generated = await patientlyOr(options, KMS, () => kms.send(generate))
  if (E.isLeft(generated)) return generated
  const { Plaintext: plain, CiphertextBlob: key } = generated.right
  const put = new PutCommand({
    TableName: table,
    Item: { pk, key, madeMs: clock.nowMs() },
    ConditionExpression: 'attribute_not_exists(pk)',
  })
  const stored = await patiently(options, () => client.send(put))
  if (E.isRight(stored)) return whole(plain)
  // Another's key, one's own from an earlier attempt, or a tombstone.
  return stored.left instanceof ConditionalCheckFailedException
    ? readOrMake(options, pk)
    : E.left(unavailable(TABLE, stored.left))
}

const bury = async (options: KmsKeyRingOptions, pk: string): Promise<E.Either<Fault, void>> => {
  const { client, table, clock } = options
  const put = new PutCommand({
    TableName: table,
    Item: { pk, destroyedMs: clock.nowMs() },
    ConditionExpression: 'attribute_not_exists(destroyedMs)',
  })
  const destroyed = await patiently(options, () => client.send(put))
  if (E.isRight(destroyed) || destroyed.left instanceof ConditionalCheckFailedException)
    return E.right(undefined)
  return E.left(unavailable(TABLE, destroyed.left))
}
