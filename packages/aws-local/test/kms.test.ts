/** The stand-in for KMS, asked through the official client. */
import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { localClient, type StandInOptions, startKms } from '@everfold/aws-local'
import { describe, expect, onTestFinished, test } from 'vitest'

const start = async (options: StandInOptions = {}) => {
  const kms = await startKms(options)
  onTestFinished(kms.stop)
  const client = new KMSClient(localClient(kms.endpoint))
  const decrypt = (CiphertextBlob: Uint8Array | undefined, EncryptionContext: Record<string, string> = {}) =>
    client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
  return { ...kms, client, decrypt, KeyId: kms.keyId }
}
const some = new Uint8Array([1, 2, 3])

describe('a data key', () => {
  test('comes back from its ciphertext, under the same context in any order', async () => {
    const { client, decrypt, KeyId } = await start()
    const made = await client.send(
      new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext: { a: '1', b: '2' } }),
    )
    expect([made.Plaintext?.length, made.KeyId]).toEqual([32, expect.stringMatching(`^arn:.*/${KeyId}$`)])
    const opened = await decrypt(made.CiphertextBlob, { b: '2', a: '1' })
    expect([opened.Plaintext, opened.KeyId]).toEqual([made.Plaintext, made.KeyId])
  })
  test('can be made without being shown', async () => {
    const { client, decrypt, KeyId } = await start()
    const made = await client.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 64 }))
    expect((await decrypt(made.CiphertextBlob)).Plaintext?.length).toBe(64)
  })
  test.each([
    {},
    { NumberOfBytes: 0 },
    { NumberOfBytes: 1025 },
    { NumberOfBytes: 32, KeySpec: 'AES_256' as const },
  ])('has a size, and one: %o', async (size) => {
    const { client, KeyId } = await start()
    await expect(client.send(new GenerateDataKeyCommand({ KeyId, ...size }))).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })
})

describe('a ciphertext', () => {
  test('is opened under no other context, nor changed, nor from elsewhere', async () => {
    const { client, decrypt, KeyId } = await start()
    const { CiphertextBlob = some } = await client.send(
      new EncryptCommand({ KeyId, Plaintext: some, EncryptionContext: { subject: 'ann' } }),
    )
    const changed = CiphertextBlob.map((byte, at) => (at === CiphertextBlob.length - 1 ? byte ^ 1 : byte))
    for (const [bytes, subject] of [
      [CiphertextBlob, 'bob'],
      [changed, 'ann'],
      [CiphertextBlob.slice(0, -1), 'ann'],
      [CiphertextBlob.slice(0, 40), 'ann'],
      [some, 'ann'],
    ] as const)
      await expect(decrypt(bytes, { subject })).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
    await expect(decrypt(CiphertextBlob)).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
    expect((await decrypt(CiphertextBlob, { subject: 'ann' })).Plaintext).toEqual(some)
  })
  test('is never twice the same', async () => {
    const { client, KeyId } = await start()
    const encrypted = async () =>
      (await client.send(new EncryptCommand({ KeyId, Plaintext: some }))).CiphertextBlob
    expect(await encrypted()).not.toEqual(await encrypted())
  })
  test('of more than 4096 bytes is not made', async () => {
    const { client, KeyId } = await start()
    const of = (size: number) => client.send(new EncryptCommand({ KeyId, Plaintext: new Uint8Array(size) }))
    await expect(of(4096)).resolves.toBeDefined()
    await expect(of(4097)).rejects.toMatchObject({ name: 'ValidationException' })
  })
  test('is opened with no other key than its own', async () => {
    const { client, KeyId } = await start()
    const other = (await client.send(new CreateKeyCommand({}))).KeyMetadata?.Arn
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext: some }))
    await expect(client.send(new DecryptCommand({ CiphertextBlob, KeyId: other }))).rejects.toMatchObject({
      name: 'IncorrectKeyException',
    })
  })
})

describe('a key', () => {
  test('that is disabled or to be deleted opens nothing until it is enabled again', async () => {
    const { client, decrypt, KeyId } = await start()
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext: some }))
    await client.send(new DisableKeyCommand({ KeyId }))
    await expect(decrypt(CiphertextBlob)).rejects.toMatchObject({ name: 'DisabledException' })
    await client.send(new ScheduleKeyDeletionCommand({ KeyId }))
    await expect(decrypt(CiphertextBlob)).rejects.toMatchObject({ name: 'KMSInvalidStateException' })
    await expect(client.send(new EnableKeyCommand({ KeyId }))).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
    })
    await client.send(new CancelKeyDeletionCommand({ KeyId }))
    await expect(decrypt(CiphertextBlob)).rejects.toMatchObject({ name: 'DisabledException' })
    await client.send(new EnableKeyCommand({ KeyId }))
    expect((await decrypt(CiphertextBlob)).Plaintext).toEqual(some)
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }))
    expect(KeyMetadata).toMatchObject({ KeyId, KeyState: 'Enabled', Enabled: true })
  })
  test('that does not exist is said to', async () => {
    const { client } = await start()
    await expect(client.send(new EncryptCommand({ KeyId: 'none', Plaintext: some }))).rejects.toMatchObject({
      name: 'NotFoundException',
    })
  })
})

test('faults are retried by the SDK', async () => {
  for (const _tag of ['Throttled', 'RequestLost', 'ResponseLost'] as const) {
    const { client, calls, KeyId } = await start({
      fault: ({ count }) => (count === 1 ? { _tag } : undefined),
    })
    await client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
    expect([_tag, calls('GenerateDataKey'), calls('Decrypt')]).toEqual([_tag, 2, 0])
  }
})
