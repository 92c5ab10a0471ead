/**
 * A stand-in for KMS: symmetric keys, whose material never leaves it, and what is encrypted under them.
 *
 * Source: AWS KMS API Reference: CreateKey, GenerateDataKey, Encrypt, Decrypt, and the states of a key (2026-11).
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { AwsError, routeByTarget, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts'

export interface LocalKms extends StandIn {
  /** A key that is there from the start. */
  readonly keyId: string
}

interface Key {
  readonly id: string
  readonly material: Buffer
  state: 'Enabled' | 'Disabled' | 'PendingDeletion'
}

type Input = Readonly<Record<string, unknown>>
type Context = Readonly<Record<string, string>>

const PLAINTEXT_MAX = 4096
const NONCE_BYTES = 12
const TAG_BYTES = 16
const ID_BYTES = 36

export const startKms = async (options: StandInOptions = {}): Promise<LocalKms> => {
  const keys = keyRing()
  const route = routeByTarget({ ...administration(keys), ...cryptography(keys) })
  const standIn = await startStandIn({ name: 'kms', throttledStatus: 400, route }, options)
  return { ...standIn, keyId: keys.create().id }
}

const administration = (keys: KeyRing) => ({
  CreateKey: () => ({ KeyMetadata: metadata(keys.create()) }),
  DescribeKey: (input: Input) => ({ KeyMetadata: metadata(keys.existing(input['KeyId'])) }),
  EnableKey: (input: Input) => void keys.change(input['KeyId'], 'Enabled'),
  DisableKey: (input: Input) => void keys.change(input['KeyId'], 'Disabled'),
  ScheduleKeyDeletion: (input: Input) => ({ KeyId: arn(keys.change(input['KeyId'], 'PendingDeletion')) }),
  CancelKeyDeletion: (input: Input) => ({ KeyId: arn(keys.revive(input['KeyId'])) }),
})

const cryptography = (keys: KeyRing) => {
  const encrypted = (input: Input, plaintext: Buffer) => {
    const key = keys.usable(input['KeyId'])
    return { CiphertextBlob: sealed(key, plaintext, contextOf(input)), KeyId: arn(key) }
  }
  return {
    GenerateDataKey: (input: Input) => {
      const plaintext = randomBytes(sizeOf(input))
      return { ...encrypted(input, plaintext), Plaintext: plaintext.toString('base64') }
    },
    GenerateDataKeyWithoutPlaintext: (input: Input) => encrypted(input, randomBytes(sizeOf(input))),
    Encrypt: (input: Input) => {
      const plaintext = blob(input['Plaintext'])
      if (plaintext.length === 0 || plaintext.length > PLAINTEXT_MAX)
        throw new AwsError('ValidationException', `'plaintext' must have 1 to ${PLAINTEXT_MAX} bytes`)
      return encrypted(input, plaintext)
    },
    Decrypt: (input: Input) => {
      const ciphertext = blob(input['CiphertextBlob'])
      const key = keys.holding(ciphertext, input['KeyId'])
      return { KeyId: arn(key), Plaintext: opened(key, ciphertext, contextOf(input)).toString('base64') }
    },
  }
}

type KeyRing = ReturnType<typeof keyRing>

const keyRing = () => {
  const keys = new Map<string, Key>()
  const create = (): Key => {
    const key: Key = { id: randomUUID(), material: randomBytes(32), state: 'Enabled' }
    keys.set(key.id, key)
    return key
  }
  const existing = (name: unknown): Key => {
    const key = keys.get(String(name).replace(/^arn:.*:key\//, ''))
    if (key === undefined) throw new AwsError('NotFoundException', `Key '${String(name)}' does not exist`)
    return key
  }
  const undeleted = (key: Key): Key => {
    if (key.state === 'PendingDeletion')
      throw new AwsError('KMSInvalidStateException', `${arn(key)} is pending deletion.`)
    return key
  }
  const enabled = (key: Key): Key => {
    if (undeleted(key).state === 'Disabled')
      throw new AwsError('DisabledException', `${arn(key)} is disabled.`)
    return key
  }
  const change = (name: unknown, state: Key['state']): Key => {
    const key = undeleted(existing(name))
    key.state = state
    return key
  }
  return {
    create,
    existing,
    change,
    usable: (name: unknown) => enabled(existing(name)),
    /** A key that was to be deleted comes back disabled. */
    revive: (name: unknown): Key => {
      const key = existing(name)
      if (key.state !== 'PendingDeletion')
        throw new AwsError('KMSInvalidStateException', `${arn(key)} is not pending deletion.`)
      key.state = 'Disabled'
      return key
    },
    /** The key that a ciphertext names; it has to be the one that the caller expects, if any. */
    holding: (ciphertext: Buffer, expected: unknown): Key => {
      const key = keys.get(ciphertext.subarray(0, ID_BYTES).toString())
      if (key === undefined) throw invalidCiphertext()
      if (expected !== undefined && existing(expected) !== key)
        throw new AwsError(
          'IncorrectKeyException',
          'The key ID in the request does not identify a CMK that can perform this operation.',
        )
      return enabled(key)
    },
  }
}

/** The key's id, the nonce, the tag, and what was encrypted; the context is authenticated and not kept. */
const sealed = (key: Key, plaintext: Buffer, context: Buffer): string => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.material, nonce).setAAD(context)
  const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([Buffer.from(key.id), nonce, cipher.getAuthTag(), encrypted]).toString('base64')
}

const opened = (key: Key, ciphertext: Buffer, context: Buffer): Buffer => {
  try {
    const [nonce, tag] = [ID_BYTES, ID_BYTES + NONCE_BYTES]
    const decipher = createDecipheriv('aes-256-gcm', key.material, ciphertext.subarray(nonce, tag))
    decipher.setAAD(context).setAuthTag(ciphertext.subarray(tag, tag + TAG_BYTES))
    return Buffer.concat([decipher.update(ciphertext.subarray(tag + TAG_BYTES)), decipher.final()])
  } catch {
    throw invalidCiphertext()
  }
}

/** The service says no more either: neither whether the context was wrong nor whether the bytes were. */
const invalidCiphertext = (): AwsError => new AwsError('InvalidCiphertextException', '')

/** The order of the pairs does not matter, their case does. */
const contextOf = (input: Input): Buffer => {
  const pairs = Object.entries((input['EncryptionContext'] ?? {}) as Context)
  return Buffer.from(JSON.stringify(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))))
}

const sizeOf = ({ KeySpec: spec, NumberOfBytes: bytes }: Input): number => {
  if (spec !== undefined && bytes === undefined) return spec === 'AES_128' ? 16 : 32
  if (spec === undefined && Number(bytes) >= 1 && Number(bytes) <= 1024) return Number(bytes)
  throw new AwsError('ValidationException', 'Please specify either number of bytes or key spec.')
}

const blob = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : '', 'base64')

const arn = ({ id }: Key): string => `arn:aws:kms:us-east-1:000000000000:key/${id}`

const metadata = (key: Key) => ({
  AWSAccountId: '000000000000',
  Arn: arn(key),
  Enabled: key.state === 'Enabled',
  KeyId: key.id,
  KeySpec: 'SYMMETRIC_DEFAULT',
  KeyState: key.state,
  KeyUsage: 'ENCRYPT_DECRYPT',
})
