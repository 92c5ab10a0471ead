import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { DynamoDBDocumentClient, GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb'
import { type FaultScript, faulty, type LocalKms, localClient, startKms } from '@everfold/aws-local'
import { E, hash, type KeyRing } from '@everfold/core'
import { keyRingSuite } from '@everfold/core/conformance'
import { fc, test as property } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type KmsKeyRingOptions, kmsKeyRing } from '../src/key-ring.ts'
import { createTables } from '../src/store/tables.ts'
import { systemClock } from '../src/system-clock.ts'
import { instantClock } from './instant-clock.ts'
import { documentClient, plainClient } from './store/tables.ts'

const TABLE = 'keys-of-the-key-ring-test'
const kept: { kms?: LocalKms } = {}
let subjects = 0
const fresh = (): string => `subject ${(subjects += 1)} ünïcode`

beforeAll(async () => {
  // It counts its calls.
  kept.kms = await startKms()
  const names = { events: `${TABLE}-events`, views: `${TABLE}-views`, keys: TABLE }
  await createTables({ client: plainClient(), names, clock: systemClock, guarded: false })()
})
afterAll(() => kept.kms?.stop())

const localKms = (): LocalKms => {
  if (kept.kms === undefined) throw new Error('before the tests')
  return kept.kms
}
const kmsClient = () => new KMSClient(localClient(localKms().endpoint))

const ringOf = (options: Partial<KmsKeyRingOptions> = {}): KeyRing =>
  kmsKeyRing({
    kms: kmsClient(),
    masterKey: localKms().keyId,
    client: documentClient(),
    table: TABLE,
    clock: instantClock(),
    ...options,
  })

/** A ring whose calls to DynamoDB go wrong as the script says; the SDK repeats none of them unless told. */
const troubledRing = (script: FaultScript, maxAttempts = 1): KeyRing => {
  const { config } = plainClient()
  const client = new DynamoDBClient({
    ...localClient(inject('endpoints').dynamoDb),
    maxAttempts,
    requestHandler: faulty(config.requestHandler as never, script),
  })
  return ringOf({ client: DynamoDBDocumentClient.from(client) })
}

const keyOf = async (ring: KeyRing, subject: string): Promise<string | undefined> => {
  const key = await ring.keyOf(subject)()
  if (E.isLeft(key)) throw new Error(JSON.stringify(key.left))
  return key.right === undefined ? undefined : Buffer.from(key.right).toString('hex')
}

const items = async () => (await documentClient().send(new ScanCommand({ TableName: TABLE }))).Items ?? []

describe('KMS and a table are what core asks of a key ring', () => {
  for (const { title, run } of keyRingSuite(async () => ringOf(), 'uncached'))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

describe('and with a cache', () => {
  const cache = { entries: 4, ms: 60_000 }
  for (const { title, run } of keyRingSuite(async () => ringOf({ cache }), 'cached'))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

describe('rings that share a table', () => {
  property.prop([fc.integer({ min: 2, max: 6 }), fc.boolean(), fc.nat()], { numRuns: 8 })(
    'agree on one key or on its destruction, however they race',
    async (callers, destroying, place) => {
      const subject = fresh()
      const calls = Array.from({ length: callers }, () => () => keyOf(ringOf(), subject))
      const destroy = async () => {
        await ringOf().destroy(subject)()
        return undefined
      }
      if (destroying) calls.splice(place % callers, 0, destroy)
      const given = await Promise.all(calls.map((call) => call()))
      const keys = new Set(given.filter((key) => key !== undefined))
      expect(keys.size).toBeLessThanOrEqual(1)
      expect(await keyOf(ringOf(), subject)).toBe(destroying ? undefined : [...keys][0])
    },
  )

  test('see each other’s destruction at once; with a cache, when its time is over', async () => {
    const subject = fresh()
    const clock = instantClock()
    const [plain, cached] = [ringOf(), ringOf({ clock, cache: { entries: 4, ms: 60_000 } })]
    const key = await keyOf(cached, subject)
    expect(await keyOf(plain, subject)).toBe(key)
    await ringOf().destroy(subject)()
    expect(await keyOf(plain, subject)).toBeUndefined()
    await clock.sleep(59_999)
    expect(await keyOf(cached, subject)).toBe(key)
    await clock.sleep(1)
    expect(await keyOf(cached, subject)).toBeUndefined()
  })
})

describe('a call that goes wrong', () => {
  const oneOf = ['ResponseLost', 'RequestLost', 'Throttled'] as const
  property.prop([fc.array(fc.constantFrom('None', ...oneOf), { maxLength: 8 })], { numRuns: 10 })(
    'gives no key that is not the one in the table, and no second one',
    async (faults) => {
      const subject = fresh()
      const coming = [...faults]
      const ring = troubledRing(() => {
        const next = coming.shift() ?? 'None'
        return next === 'None' ? undefined : { _tag: next }
      })
      const key = await keyOf(ring, subject)
      expect(key).toHaveLength(128)
      expect(await keyOf(ringOf(), subject)).toBe(key)
      expect(await ring.destroy(subject)()).toEqual(E.right(undefined))
      expect(await keyOf(ringOf(), subject)).toBeUndefined()
    },
  )

  test('is repeated by the SDK behind our back: a put that met its own earlier one is one’s own', async () => {
    const subject = fresh()
    const ring = troubledRing(
      ({ operation, count }) =>
        operation === 'PutItem' && count === 1 ? { _tag: 'ResponseLost' } : undefined,
      3,
    )
    const key = await keyOf(ring, subject)
    expect(key).toHaveLength(128)
    expect(await keyOf(ringOf(), subject)).toBe(key)
  })

  test('a put that lands after the destruction brings no key back', async () => {
    const subject = fresh()
    const late = Promise.withResolvers<void>()
    const ring = troubledRing(({ operation }) =>
      operation === 'PutItem' ? { _tag: 'RequestLate', until: late.promise } : undefined,
    )
    const making = keyOf(ring, subject)
    await ringOf().destroy(subject)()
    late.resolve()
    expect(await making).toBeUndefined()
    expect(await keyOf(ringOf(), subject)).toBeUndefined()
  })

  test('a key that cannot be decrypted is a fault, and not destroyed', async () => {
    const subject = fresh()
    const masterKey = localKms().keyId
    const key = await keyOf(ringOf(), subject)
    await kmsClient().send(new DisableKeyCommand({ KeyId: masterKey }))
    expect(await ringOf().keyOf(subject)()).toMatchObject({ left: { _tag: 'Unavailable' } })
    await kmsClient().send(new EnableKeyCommand({ KeyId: masterKey }))
    expect(await keyOf(ringOf(), subject)).toBe(key)
  })
})

/** An item with its bytes in the same form as a key's. */
const shown = (item: Record<string, unknown>): object => ({
  ...item,
  key: Buffer.from((item['key'] as Uint8Array | undefined) ?? []).toString('hex'),
})

describe('the table', () => {
  test('holds neither a subject’s name nor a key, and of a destroyed key nothing', async () => {
    const subject = fresh()
    const key = await keyOf(ringOf(), subject)
    const stored = JSON.stringify((await items()).map(shown))
    expect(stored).not.toContain(subject)
    expect(stored).not.toContain(key)
    await ringOf().destroy(subject)()
    const tombstone = (await items()).find(({ pk }) => pk === hash(subject)) ?? {}
    expect(Object.keys(tombstone).toSorted()).toEqual(['destroyedMs', 'pk'])
  })

  test('an item moved to another subject opens nothing', async () => {
    const [one, other] = [fresh(), fresh()]
    await keyOf(ringOf(), one)
    const client = documentClient()
    const { Item: item } = await client.send(new GetCommand({ TableName: TABLE, Key: { pk: hash(one) } }))
    await client.send(new PutCommand({ TableName: TABLE, Item: { ...item, pk: hash(other) } }))
    expect(await ringOf().keyOf(other)()).toMatchObject({ left: { _tag: 'Unavailable' } })
  })
})

describe('a cache', () => {
  test('asks KMS once per subject, and never holds more than it may', async () => {
    const ring = ringOf({ cache: { entries: 2, ms: 60_000 } })
    const named = [fresh(), fresh(), fresh()]
    for (const subject of named) await keyOf(ring, subject)
    const before = localKms().calls('Decrypt')
    for (const subject of named.slice(1)) await keyOf(ring, subject)
    expect(localKms().calls('Decrypt')).toBe(before)
    await keyOf(ring, named[0] ?? '')
    expect(localKms().calls('Decrypt')).toBe(before + 1)
  })

  test('keeps no key that was destroyed while it was read', async () => {
    const subject = fresh()
    const gate = Promise.withResolvers<void>()
    const { config } = kmsClient()
    const kms = new KMSClient({
      ...localClient(localKms().endpoint),
      requestHandler: faulty(config.requestHandler as never, ({ operation }) =>
        operation === 'Decrypt' ? { _tag: 'ResponseLate', until: gate.promise } : undefined,
      ),
    })
    await keyOf(ringOf(), subject)
    const ring = ringOf({ kms, cache: { entries: 2, ms: 60_000 } })
    const reading = keyOf(ring, subject)
    await expect.poll(() => localKms().calls('Decrypt')).toBeGreaterThan(0)
    await ring.destroy(subject)()
    gate.resolve()
    await reading
    expect(await keyOf(ring, subject)).toBeUndefined()
  })
})
