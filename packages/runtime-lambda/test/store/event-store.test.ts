/** The event store over DynamoDB Local: core's suite, and the faults of a connection that core cannot make. */
import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import {
  type Fault as Broken,
  type FaultScript,
  faulty,
  localClient,
  type RequestHandler,
} from '@everfold/aws-local'
import {
  type CommandId,
  type Commit,
  deriveId,
  E,
  type EventStore,
  envelope,
  execute,
  load,
  type Settled,
  type StreamName,
  unavailable,
  undatedId,
} from '@everfold/core'
import { eventStoreSuite } from '@everfold/core/conformance'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, inject, test } from 'vitest'
import { type ClaimCheck, s3ClaimCheck } from '../../src/store/claim-check.ts'
import { itemBytes, itemOf } from '../../src/store/commit-item.ts'
import { dynamoEventStore } from '../../src/store/event-store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { aggregate, command, type TallyEvent, type TallyRejection, TIME_MS, tally } from '../tally.ts'
import { eventsTable, plainClient } from './tables.ts'

const clock = systemClock
const table = eventsTable('event-store')

const storeOf = async (
  script: FaultScript = () => undefined,
  claimCheck?: ClaimCheck,
): Promise<EventStore> => {
  const client = plainClient()
  client.config.requestHandler = faulty(client.config.requestHandler as RequestHandler, script)
  return dynamoEventStore({
    client: DynamoDBDocumentClient.from(client),
    table: await table,
    clock,
    ...(claimCheck === undefined ? {} : { claimCheck }),
  })
}

const freshStream = (): StreamName => tally(randomUUID())

const commitOf = (stream: StreamName, number: number, name: string, note = 'cash'): Commit => {
  const id = deriveId(TIME_MS, stream, String(number), name)
  const answer = {
    id,
    fingerprint: '1AAAAAAAAAAAA',
    timeMs: TIME_MS,
    metadata: { correlationId: id },
    events: [{ _tag: 'Counted', note }],
  }
  return { stream, number, version: number, timeMs: TIME_MS, latestIdMs: TIME_MS, answers: [answer] }
}

const marked = (commit: Commit, id: CommandId): Commit => ({
  ...commit,
  answers: commit.answers.map((answer) => ({ ...answer, id, dateMs: TIME_MS, marked: true as const })),
})

const logOf = async (store: EventStore, stream: StreamName): Promise<ReadonlyArray<Commit>> => {
  const page = await store.readForward(stream, { after: 0, limit: 1000 })()
  if (E.isLeft(page)) throw new Error(JSON.stringify(page.left))
  return page.right.commits
}

/** The first call of the operation goes wrong so. */
const first =
  (operation: string, fault: Broken): FaultScript =>
  (call) =>
    call.operation === operation && call.count === 1 ? fault : undefined

describe('the event store', () => {
  const store = storeOf()
  for (const { title, run } of eventStoreSuite(() => store))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

describe('an append', () => {
  test('whose response is lost is known as stored by what holds its place', async () => {
    const store = await storeOf(first('PutItem', { _tag: 'ResponseLost' }))
    const own = commitOf(freshStream(), 1, 'own')
    expect(await store.append(own)()).toEqual(E.right(undefined))
    expect(await logOf(store, own.stream)).toEqual([own])
  })

  test('with a marker whose response is lost is known as stored', async () => {
    const store = await storeOf(first('TransactWriteItems', { _tag: 'ResponseLost' }))
    const own = marked(commitOf(freshStream(), 1, 'own'), undatedId(randomUUID()))
    expect(await store.append(own)()).toEqual(E.right(undefined))
    // The same token makes the SDK's repeat a success; a repeat of ours has another one, and meets its own items.
    expect(await (await storeOf()).append(own)()).toEqual(E.right(undefined))
    expect(await logOf(store, own.stream)).toEqual([own])
  })

  test('that another writer overtook is a conflict, whatever became of its first request', async () => {
    for (const _tag of ['RequestLost', 'Throttled'] as const) {
      const stream = freshStream()
      const rival = commitOf(stream, 1, 'rival')
      const other = await storeOf()
      let overtaken = false
      const store = await storeOf(({ operation, count }) => {
        if (operation !== 'PutItem' || count > 1) return undefined
        overtaken = true
        return { _tag: 'RequestLate', until: other.append(rival)() }
      })
      expect(await store.append(commitOf(stream, 1, _tag))()).toEqual(E.left({ _tag: 'Conflict', stream }))
      expect(overtaken).toBe(true)
      expect(await logOf(store, stream)).toEqual([rival])
    }
  })

  test('in conflict with another transaction is repeated, which the SDK does not do', async () => {
    const reasons = [{ Code: 'None' }, { Code: 'TransactionConflict', Message: 'Transaction is ongoing' }]
    const canceled = { CancellationReasons: reasons, message: 'Transaction cancelled' }
    for (const [operation, error, fields] of [
      ['TransactWriteItems', 'TransactionCanceledException', canceled],
      ['PutItem', 'TransactionConflictException', {}],
    ] as const) {
      const store = await storeOf(({ operation: asked, count }) =>
        asked === operation && count <= 3 ? { _tag: 'Refused', error, fields } : undefined,
      )
      const plain = commitOf(freshStream(), 1, 'own')
      const own = operation === 'PutItem' ? plain : marked(plain, undatedId(randomUUID()))
      expect(await store.append(own)()).toEqual(E.right(undefined))
      expect(await logOf(store, own.stream)).toEqual([own])
    }
  })

  test('in conflict for longer than its time leaves its outcome unknown', async () => {
    const client = plainClient()
    client.config.requestHandler = faulty(client.config.requestHandler as RequestHandler, ({ operation }) =>
      operation === 'PutItem' ? { _tag: 'Refused', error: 'TransactionConflictException' } : undefined,
    )
    const patience = { clock, budgetMs: 100 }
    const store = dynamoEventStore({
      client: DynamoDBDocumentClient.from(client),
      table: await table,
      ...patience,
    })
    const outcome = await store.append(commitOf(freshStream(), 1, 'own'))()
    expect(outcome).toMatchObject({
      left: { _tag: 'OutcomeUnknown', cause: { name: 'TransactionConflictException' } },
    })
  })

  test('of a group that differs in one answer only is no commit of ours', async () => {
    const store = await storeOf()
    const own = commitOf(freshStream(), 1, 'own')
    await store.append(own)()
    const similar = { ...own, answers: own.answers.map((answer) => ({ ...answer, timeMs: TIME_MS + 1 })) }
    expect(await store.append(similar)()).toEqual(E.left({ _tag: 'Conflict', stream: own.stream }))
  })

  test('that DynamoDB refuses for its size is too large by name, however we counted', async () => {
    const fields = { message: 'Item size has exceeded the maximum allowed size' }
    for (const operation of ['PutItem', 'TransactWriteItems']) {
      const store = await storeOf((call) =>
        call.operation === operation ? { _tag: 'Refused', error: 'ValidationException', fields } : undefined,
      )
      const plain = commitOf(freshStream(), 1, 'own')
      const own = operation === 'PutItem' ? plain : marked(plain, undatedId(randomUUID()))
      expect(await store.append(own)()).toMatchObject({ left: { _tag: 'TooLarge', stream: own.stream } })
    }
  })

  test('to a table that is not there leaves its outcome unknown and says why', async () => {
    const store = dynamoEventStore({
      client: DynamoDBDocumentClient.from(plainClient()),
      table: 'none',
      clock,
    })
    const outcome = await store.append(commitOf(freshStream(), 1, 'own'))()
    expect(outcome).toMatchObject({
      left: { _tag: 'OutcomeUnknown', cause: { name: 'ResourceNotFoundException' } },
    })
    const read = await store.readBackward(freshStream(), { limit: 1 })()
    expect(read).toMatchObject({ left: { _tag: 'Unavailable', what: 'the event store' } })
  })
})

/** Nothing deflates it. */
const noise = (length: number): string =>
  Array.from({ length: Math.ceil(length / 32) }, () => randomUUID().replaceAll('-', '')).join('')

const bytesOf = (commit: Commit): number => itemBytes(itemOf(commit))

const noisy = noise(650_000)

/** Commits of streams of their own that are so many bytes as items, the first of which leaves 60 markers. */
const commitsOf = (sizeBytes: number): ReadonlyArray<Commit> => {
  const large = Array.from({ length: 11 }, () => commitOf(freshStream(), 1, 'large', noisy))
  const marking = commitOf(freshStream(), 1, 'first')
  const ids = Array.from({ length: 60 }, () => undatedId(randomUUID()))
  const answers = ids.flatMap((id) => marked(marking, id).answers)
  let rest = sizeBytes - bytesOf({ ...marking, answers })
  for (const one of large) rest -= bytesOf(one)
  const stream = freshStream()
  let [fits, beyond] = [0, noisy.length]
  while (beyond - fits > 500) {
    const length = Math.floor((fits + beyond) / 2)
    if (bytesOf(commitOf(stream, 1, 'most', noisy.slice(0, length))) + 500 > rest) beyond = length
    else fits = length
  }
  const most = commitOf(stream, 1, 'most', noisy.slice(0, fits))
  const last = commitOf(freshStream(), 1, 'last', '')
  const exact = commitOf(last.stream, 1, 'last', noisy.slice(0, rest - bytesOf(most) - bytesOf(last)))
  return [{ ...marking, answers }, ...large, most, exact]
}

describe('a transaction', () => {
  const LIMIT = 4 * 1024 * 1024

  const tooLarge = { left: { _tag: 'TooLarge', limitBytes: LIMIT } }

  test.each([
    [100, tooLarge],
    [5000, tooLarge],
    [20_000, E.right(undefined)],
  ])(
    'near its limit is stored or is too large by name, its markers counted: %i bytes below it without them',
    async (below, outcome) => {
      const commits = commitsOf(LIMIT - below)
      expect(commits.reduce((sum, commit) => sum + bytesOf(commit), 0)).toBe(LIMIT - below)
      expect(await (await storeOf()).appendTogether(commits)()).toMatchObject(outcome)
    },
  )
})

const s3 = () => new S3Client({ ...localClient(inject('endpoints').s3), forcePathStyle: true })

describe('a commit above 400 KB', () => {
  const bucket = `claims-${randomUUID()}`
  const created = (() => {
    let done: Promise<unknown> | undefined
    return () => (done ??= s3().send(new CreateBucketCommand({ Bucket: bucket })))
  })()
  const claims = () => s3ClaimCheck({ bucket, prefix: 'commits/', client: s3, clock })

  test('lies behind a claim check and reads back whole', async () => {
    await created()
    const store = await storeOf(undefined, claims())
    const large = commitOf(freshStream(), 1, 'large', noise(900_000))
    const snapshot = {
      fingerprint: '1BBBBBBBBBBBB',
      state: noise(900_000),
      memory: { ids: [] },
      sizeBytes: 900_000,
    }
    const both = { ...commitOf(large.stream, 2, 'larger', noise(900_000)), snapshot }
    const small = { ...commitOf(large.stream, 3, 'small'), snapshot }
    for (const commit of [large, both, small])
      expect(await store.append(commit)()).toEqual(E.right(undefined))
    expect(await logOf(store, large.stream)).toEqual([large, both, small])
  })

  test('is known as one’s own behind its claim check', async () => {
    await created()
    const store = await storeOf(first('PutItem', { _tag: 'ResponseLost' }), claims())
    const large = commitOf(freshStream(), 1, 'large', noise(900_000))
    expect(await store.append(large)()).toEqual(E.right(undefined))
  })

  test('is refused by its size where there is no claim check, and is not called broken', async () => {
    await created()
    const { stream } = commitOf(freshStream(), 1, 'large')
    const large = commitOf(stream, 1, 'large', noise(900_000))
    const without = await storeOf()
    expect(await without.append(large)()).toMatchObject({
      left: { _tag: 'TooLarge', stream, limitBytes: 409_600 },
    })
    await (await storeOf(undefined, claims())).append(large)()
    expect(await without.readForward(stream, { after: 0, limit: 1 })()).toMatchObject({
      left: { _tag: 'Unavailable', what: expect.stringContaining('claim check') },
    })
  })

  test('is not read from an object that is not what its name says', async () => {
    await created()
    const claim = claims()
    const put = await claim.put(new TextEncoder().encode('true'))()
    if (E.isLeft(put)) throw new Error(JSON.stringify(put.left))
    await s3().send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: `commits/${put.right}`,
        Body: new TextEncoder().encode('false'),
      }),
    )
    expect(await claim.get(put.right)()).toMatchObject({ left: { _tag: 'Unavailable' } })
  })
})

/** A stream of commits behind claim checks, of which the tenth carries a snapshot; and what is redeemed of it. */
const claimedStream = async (fingerprint: string) => {
  const objects = new Map<string, Uint8Array>()
  const gone = new Set<string>()
  const redeemed: Array<string> = []
  const claimCheck: ClaimCheck = {
    put: (bytes) => async () => {
      const reference = `${objects.size + 1}`
      objects.set(reference, bytes)
      return E.right(reference)
    },
    get: (reference) => async () => {
      redeemed.push(reference)
      const bytes = gone.has(reference) ? undefined : objects.get(reference)
      return bytes === undefined ? E.left(unavailable('the bucket')) : E.right(bytes)
    },
  }
  const store = await storeOf(undefined, claimCheck)
  const stream = freshStream()
  const snapshot = { fingerprint, state: { total: 10 }, memory: { ids: [] }, sizeBytes: 12 }
  for (let number = 1; number <= 12; number += 1) {
    const commit = commitOf(stream, number, `${number}`, number === 10 ? 'small' : noisy.repeat(2))
    await store.append(number === 10 ? { ...commit, snapshot } : commit)()
  }
  return { store, stream, redeemed, gone }
}

describe('a load', () => {
  test('redeems no claim check behind the snapshot that it begins at, and none of those can fail it', async () => {
    const { store, stream, redeemed, gone } = await claimedStream(aggregate.fingerprint)
    for (let number = 1; number <= 9; number += 1) gone.add(`${number}`)
    expect(await load(aggregate, store, stream, 12)).toMatchObject({
      right: { number: 12, state: { total: 12 } },
    })
    expect(redeemed.toSorted()).toEqual(['10', '11'])
  })

  test('that cannot begin at the snapshot reads on behind it, and fails where what it needs is gone', async () => {
    const { store, stream, redeemed, gone } = await claimedStream('another')
    expect(await load(aggregate, store, stream, 12)).toMatchObject({
      right: { number: 12, state: { total: 12 } },
    })
    expect(new Set(redeemed).size).toBe(11)
    expect(redeemed).toHaveLength(11)
    gone.add('3')
    expect(await load(aggregate, store, stream, 12)).toMatchObject({ left: { what: 'the bucket' } })
  })

  test('gives every commit once behind claim checks, whatever the pages are', async () => {
    const { store, stream } = await claimedStream('another')
    for (const limit of [1, 5, 12]) {
      const numbers: Array<number> = []
      for (let done = false; !done; ) {
        const [before] = numbers.slice(-1)
        const page = await store.readBackward(stream, {
          limit,
          ...(before === undefined ? {} : { before }),
        })()
        if (E.isLeft(page)) throw new Error(JSON.stringify(page.left))
        expect(page.right.commits.length).toBeGreaterThan(0)
        numbers.push(...page.right.commits.map(({ number }) => number))
        ;({ done } = page.right)
      }
      expect(numbers).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    }
  })
})

describe('over a connection that fails', () => {
  // The SDK waits before it repeats, so that faults cost time: most calls go well.
  const fate = fc.oneof(
    { weight: 6, arbitrary: fc.constant('Fine' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('ResponseLost' as const, 'RequestLost' as const, 'Throttled' as const),
    },
  )
  const scripts = fc.array(fate, { minLength: 5, maxLength: 40 })

  property.prop([fc.array(scripts, { minLength: 2, maxLength: 3 })], { numRuns: 6, endOnFailure: true })(
    'every command has one effect and one answer, whoever repeats it',
    async (fates) => {
      const stream = freshStream()
      const commands = Array.from({ length: 6 }, (_, at) =>
        envelope(command('Count', `${at}`, 90), {
          id: deriveId(TIME_MS + at, stream, String(at)),
          timeMs: TIME_MS + at,
        }),
      )
      const told = await Promise.all(
        fates.map(async (script, writer) => {
          let calls = 0
          const store = await storeOf(() => {
            const _tag = script[calls % script.length]
            calls += 1
            return _tag === undefined || _tag === 'Fine' ? undefined : { _tag }
          })
          const run = execute(aggregate, { store, clock })
          const answers = new Map<string, unknown>()
          // Each writer sends all of them, from another one on.
          for (let at = 0; at < commands.length; at += 1) {
            const sent = commands[(at + writer) % commands.length]
            if (sent === undefined) continue
            const settled = await untilAnswered(() => run(stream, [sent])())
            answers.set(sent.id, settled)
          }
          return answers
        }),
      )
      const store = await storeOf()
      const log = await logOf(store, stream)
      expect(log.map(({ number }) => number)).toEqual(log.map((_, at) => at + 1))
      expect(log.flatMap(({ answers }) => answers.map(({ id }) => id)).toSorted()).toEqual(
        commands.map(({ id }) => id).toSorted(),
      )
      for (const answers of told) expect(answers).toEqual(told[0])
      const head = await load(aggregate, store, stream, 12)
      expect(head).toMatchObject({ right: { state: { total: 360 } } })
    },
    60_000,
  )
})

/** What is told of a command whoever asks: its outcome and its place. */
const untilAnswered = async (
  send: () => Promise<E.Either<unknown, ReadonlyArray<Settled<TallyEvent, TallyRejection>>>>,
): Promise<unknown> => {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const settled = await send()
    if (E.isLeft(settled)) continue
    const [answer] = settled.right
    if (answer === undefined || E.isLeft(answer)) throw new Error(`refused: ${JSON.stringify(answer)}`)
    const { outcome, position, timeMs } = answer.right
    return { outcome, position, timeMs }
  }
  throw new Error('never answered')
}
