import { AsyncLocalStorage } from 'node:async_hooks'
import { DynamoDBClient, PutItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb'
import { fc, test as property } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { virtualKernel } from '../../src/kernel.ts'
import type { Actor, VirtualActor } from '../../src/simulation/globals/actor.ts'
import { installGlobals } from '../../src/simulation/globals/installation.ts'

const acting = new AsyncLocalStorage<Actor>()

/** As much of the SDK's request as is looked at. */
interface Request {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

interface Attempt {
  readonly headers: Request['headers']
  readonly body: string
  readonly passedMs: number
}

const textOf = (body: Request['body']): string =>
  typeof body === 'string' ? body : new TextDecoder().decode(body)

type Handler = (request: Request) => Promise<{ response: unknown }>

const answered = (statusCode: number, body: unknown) => ({
  response: {
    statusCode,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: new TextEncoder().encode(JSON.stringify(body)),
  },
})

const clientOf = (handle: Handler): DynamoDBClient =>
  new DynamoDBClient({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' },
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: { handle } as never,
  })

let uninstall: () => void = () => undefined
beforeAll(async () => {
  // The SDK reads the machine's configuration files once in a process; no run can wait for a disk.
  await clientOf(async () => answered(200, {})).send(new PutItemCommand({ TableName: 'orders', Item: {} }))
  uninstall = installGlobals({ current: () => acting.getStore() })
})
afterAll(() => uninstall())

/** Fails at once, then by a timeout of 2 s, and then answers. */
const failingTwice = (attempts: Array<Attempt>): Handler => {
  const startMs = performance.now()
  return async ({ headers, body }) => {
    attempts.push({ headers, body: textOf(body), passedMs: performance.now() - startMs })
    if (attempts.length === 1) return answered(500, { __type: 'InternalServerError', message: 'no' })
    if (attempts.length > 2) return answered(200, {})
    return new Promise((_resolve, reject) => {
      setTimeout(() => reject(Object.assign(new Error('no answer'), { name: 'TimeoutError' })), 2000)
    })
  }
}

/** What the third attempt of a transaction was preceded by, and when in virtual time all ended. */
const sent = async (seed: string, skewMs = 0) => {
  const kernel = virtualKernel({ seed })
  const { nowMs, random, at } = kernel
  const actor: VirtualActor = { globals: 'virtual', name: 'relay 1', nowMs, skewMs: () => skewMs, random, at }
  const attempts: Array<Attempt> = []
  const startMs = nowMs()
  await kernel.run(() =>
    acting.run(actor, async () => {
      const client = clientOf(failingTwice(attempts))
      const put = { Put: { TableName: 'orders', Item: { id: { S: '1' } } } }
      await client.send(new TransactWriteItemsCommand({ TransactItems: [put] }))
    }),
  )
  return { attempts, startMs, endMs: nowMs(), trace: kernel.trace }
}

/** By the request handler that the SDK brings. */
const sentItself = () =>
  new DynamoDBClient({
    region: 'eu-central-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' },
    maxAttempts: 1,
  }).send(new PutItemCommand({ TableName: 'orders', Item: {} }))

const header =
  (name: string) =>
  ({ headers }: Attempt) =>
    headers[name]

const dated = (timeMs: number) => new Date(timeMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')

describe('the AWS SDK under a virtual actor', () => {
  const seeds = fc.tuple(fc.nat().map(String), fc.nat().map(String)).filter(([one, other]) => one !== other)
  property.prop([seeds], { numRuns: 15 })(
    'sends and waits the same for the same seed, and has other ids for another',
    async ([one, other]) => {
      const first = await sent(one)
      expect(await sent(one)).toEqual(first)
      const second = await sent(other)
      expect(second.attempts.map(header('amz-sdk-invocation-id'))).not.toEqual(
        first.attempts.map(header('amz-sdk-invocation-id')),
      )
    },
  )

  test('makes one id for all attempts, waits in virtual time, and signs by the virtual clock', async () => {
    const { attempts, startMs, endMs } = await sent('1')
    expect(attempts.map(header('amz-sdk-request'))).toEqual([1, 2, 3].map((n) => `attempt=${n}; max=3`))
    expect(new Set(attempts.map(header('amz-sdk-invocation-id'))).size).toBe(1)
    const tokens = attempts.map(
      ({ body }) => (JSON.parse(body) as { ClientRequestToken: string }).ClientRequestToken,
    )
    expect(new Set(tokens).size).toBe(1)
    expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/)
    expect(attempts.map(header('x-amz-date'))).toEqual(
      attempts.map(({ passedMs }) => dated(startMs + passedMs)),
    )
    expect(attempts[2]?.passedMs).toBeGreaterThan(2000)
    expect(endMs - startMs).toBe(attempts[2]?.passedMs)
  })

  test('draws its waits', async () => {
    const waits = await Promise.all(['1', '2', '3', '4', '5', '6'].map((seed) => sent(seed)))
    expect(new Set(waits.map(({ attempts }) => attempts[1]?.passedMs)).size).toBeGreaterThan(1)
  })

  test('signs by the skewed clock of its actor', async () => {
    const { attempts, startMs } = await sent('1', 240_000)
    expect(attempts.map(header('x-amz-date'))).toEqual(
      attempts.map(({ passedMs }) => dated(startMs + 240_000 + passedMs)),
    )
    const straight = await sent('1')
    expect(attempts.map(({ passedMs }) => passedMs)).toEqual(
      straight.attempts.map(({ passedMs }) => passedMs),
    )
  })

  test('reaches no network by its own request handler', async () => {
    const { nowMs, random, at, run } = virtualKernel({ seed: '1' })
    const actor: VirtualActor = { globals: 'virtual', name: 'relay 1', nowMs, random, at }
    await expect(run(() => acting.run(actor, sentItself))).rejects.toThrow('relay 1 called http.request()')
  })
})
