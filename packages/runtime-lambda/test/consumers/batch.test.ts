import { type Commit, E, type StreamName, unavailable } from '@everfold/core'
import { plainPorts, plainStore, plainViews } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import type { DynamoDBRecord, DynamoDBStreamHandler } from 'aws-lambda'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { batchConsumer, byStream, type Outcome, type WorkBatch } from '../../src/consumers/batch.ts'
import { projector } from '../../src/projector.ts'
import { markersOf } from '../../src/store/marker.ts'
import { eventOf, recordOf, sequenceNumber } from '../change-stream/stream-events.ts'
import { history, projection, tally } from '../tally.ts'

const { clock } = plainPorts()

const DONE: Outcome = E.right(undefined)
const FAILED: Outcome = E.left(unavailable('a planted fault'))

const remembering = (taken: Array<Commit>): WorkBatch =>
  byStream((commit) => async () => {
    taken.push(commit)
    return E.right(undefined)
  })

const three = history(tally('a'), [['x'], ['y'], ['z']])

const undecodable = (answers: Commit['answers']): Commit['answers'] =>
  answers.map((answer) => Object.assign({ ...answer }, { events: [{ _tag: 'Unheard' }] }))

describe('a batch', () => {
  test('is taken in, and nothing is reported', async () => {
    const taken: Array<Commit> = []
    const answer = await batchConsumer({ work: remembering(taken) })(eventOf(three))
    expect(answer).toEqual({ batchItemFailures: [] })
    expect(taken).toEqual(three)
  })

  test('is reported from its first failure on, and what is behind that is not begun', async () => {
    const tried: Array<number> = []
    const work = byStream(({ number }) => async () => {
      tried.push(number)
      return number === 2 ? E.left(unavailable('a planted fault')) : E.right(undefined)
    })
    const logged: Array<unknown> = []
    const consumer = batchConsumer({ work, log: (entry) => logged.push(entry) })
    expect(await consumer(eventOf(three))).toEqual({
      batchItemFailures: [{ itemIdentifier: sequenceNumber(1) }],
    })
    expect(tried).toEqual([1, 2])
    expect(logged).toMatchObject([{ level: 'error', sequenceNumber: sequenceNumber(1), commit: 2 }])
  })

  test('goes on beside a stream whose work throws', async () => {
    const taken: Array<StreamName> = []
    const work = byStream(({ stream }) => async () => {
      if (stream === tally('a')) throw new Error('broken')
      taken.push(stream)
      return E.right(undefined)
    })
    const [first, ...rest] = history(tally('b'), [['x'], ['y']])
    const answer = await batchConsumer({ work })(
      eventOf([...(first === undefined ? [] : [first]), ...three, ...rest]),
    )
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: sequenceNumber(1) }] })
    expect(taken).toContain(tally('b'))
  })

  test('that is taken in stream by stream is reported from the very commit that fails', async () => {
    const log = three.map((commit) =>
      commit.number === 2 ? { ...commit, answers: undecodable(commit.answers) } : commit,
    )
    const { views, rows } = plainViews()
    const beside = history(tally('b'), [['x'], ['y']])
    const work = projector({ projections: [projection], store: plainStore(), views, clock })
    expect(await batchConsumer({ work })(eventOf([...log, ...beside]))).toEqual({
      batchItemFailures: [{ itemIdentifier: sequenceNumber(1) }],
    })
    expect(rows().find(({ sk }) => sk === tally('a'))?.value).toEqual(['tally/a@1.0'])
  })

  test('whose first record fails is halved by Lambda until that one is alone, where the mapping bisects', async () => {
    const taken: Array<number> = []
    const work = byStream(({ number }) => {
      if (number === 4) throw new Error('broken')
      taken.push(number)
      return async () => E.right(undefined)
    })
    const consumer = batchConsumer({ work, bisected: true })
    const alone: Array<unknown> = []
    /** Lambda's part, with no retries: halves what is thrown, goes on from what is reported, gives up what is alone. */
    const deliver = async (records: ReadonlyArray<DynamoDBRecord>): Promise<void> => {
      const answer = await consumer({ Records: records }).catch(() => undefined)
      if (answer === undefined) {
        const half = Math.ceil(records.length / 2)
        await deliver(records.slice(0, half))
        return deliver(records.slice(half))
      }
      const [failure] = answer.batchItemFailures
      if (failure === undefined) return
      const at = records.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failure.itemIdentifier)
      if (records.length === 1) alone.push(failure.itemIdentifier)
      else await deliver(records.slice(at))
    }
    await deliver(
      eventOf(
        history(
          tally('a'),
          Array.from({ length: 9 }, () => ['x']),
        ),
      ).Records,
    )
    expect(alone).toEqual([sequenceNumber(3)])
    expect(new Set(taken)).toEqual(new Set([1, 2, 3, 5, 6, 7, 8, 9]))
  })

  test('passes over markers and removals, knowingly', async () => {
    const [commit] = three
    if (commit === undefined) throw new Error('no commit')
    const answers = commit.answers.map((answer) => Object.assign({ marked: true as const }, answer))
    const [marker] = markersOf({ ...commit, answers }, 0)
    if (marker === undefined) throw new Error('no marker')
    const removed = recordOf(marker.item, 1)
    const { NewImage: _, ...keys } = removed.dynamodb ?? {}
    const event = {
      Records: [
        recordOf(marker.item, 0),
        {
          ...removed,
          eventName: 'REMOVE',
          dynamodb: keys,
          userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
        },
        ...eventOf(three, 2).Records,
      ],
    }
    const taken: Array<Commit> = []
    expect(await batchConsumer({ work: remembering(taken) })(event)).toEqual({ batchItemFailures: [] })
    expect(taken).toEqual(three)
  })

  test('of a stream that shows keys only is reported, saying what the stream has to show', async () => {
    const [record] = eventOf(three).Records
    const { NewImage: _, ...shown } = record?.dynamodb ?? {}
    const event = { Records: [{ ...record, dynamodb: { ...shown, StreamViewType: 'KEYS_ONLY' } }] }
    const logged: Array<unknown> = []
    const consumer = batchConsumer({ work: remembering([]), log: (entry) => logged.push(entry) })
    expect(await consumer(event)).toEqual({ batchItemFailures: [{ itemIdentifier: sequenceNumber(0) }] })
    expect(logged).toMatchObject([
      {
        fault: {
          stream: tally('a'),
          commit: 1,
          errors: [
            {
              pointer: '/Records/0/dynamodb/NewImage',
              detail: expect.stringContaining('KEYS_ONLY: it has to be NEW_IMAGE'),
            },
          ],
        },
      },
    ])
  })

  test('with a record that holds no commit is reported from there, with the path', async () => {
    const [one, two, last] = eventOf(three).Records
    const image = { ...two?.dynamodb?.NewImage, a: { S: '[{"id":1}]' } }
    const event = { Records: [one, { ...two, dynamodb: { ...two?.dynamodb, NewImage: image } }, last] }
    const taken: Array<Commit> = []
    const logged: Array<unknown> = []
    const consumer = batchConsumer({ work: remembering(taken), log: (entry) => logged.push(entry) })
    expect(await consumer(event)).toEqual({ batchItemFailures: [{ itemIdentifier: sequenceNumber(1) }] })
    expect(taken.map(({ number }) => number)).toEqual([1])
    expect(JSON.stringify(logged)).toContain('/Records/1/dynamodb/NewImage/a/0/id')
  })

  test.each([
    [undefined, ' is not an object'],
    ['text', ' is not an object'],
    [{}, '/Records is not a list of records'],
    [{ Records: [] }, '/Records is not a list of records'],
    [{ Records: [null] }, '/Records/0 is not an object'],
    [{ Records: [{ eventID: 'e' }] }, '/Records/0/dynamodb is not an object'],
    [
      { Records: [{ dynamodb: { SequenceNumber: '' } }] },
      '/Records/0/dynamodb/SequenceNumber is not a number',
    ],
    [{ Records: [{ kinesis: { sequenceNumber: '1' } }] }, '/Records/0/dynamodb is not an object'],
  ])('that cannot be reported is thrown with its path: %j', async (event, message) => {
    await expect(batchConsumer({ work: remembering([]) })(event)).rejects.toThrow(message)
  })
})

const anyNotes = fc.array(
  fc.string({ maxLength: 8 }).filter((note) => note !== ''),
  { maxLength: 3 },
)
/** Streams and their commits, delivered in some order: those of one stream may overtake each other. */
const deliveries = fc
  .array(fc.array(anyNotes, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 })
  .map((streams) => streams.flatMap((commits, at) => history(tally(`t${at}`), commits)))
  .chain((commits) =>
    fc.tuple(fc.constant(commits), fc.shuffledSubarray([...commits], { minLength: commits.length })),
  )
const outcomes = fc.array(fc.boolean(), { maxLength: 60 })

/** Lambda's part: delivers from the lowest number reported on, cut as it pleases, what was done now and then again. */
const deliverAll = async (
  consumer: (event: unknown) => Promise<{ batchItemFailures: ReadonlyArray<{ itemIdentifier: string }> }>,
  delivered: ReadonlyArray<Commit>,
  cuts: ReadonlyArray<number>,
): Promise<void> => {
  let from = 0
  for (let turn = 0; from < delivered.length; turn += 1) {
    if (turn > 500) throw new Error('no progress')
    const size = 1 + ((cuts[turn % cuts.length] ?? 0) % 7)
    const start = turn % 5 === 4 ? Math.max(0, from - 2) : from
    const event = eventOf(delivered.slice(start, from + size), start)
    const [failure] = (await consumer(event)).batchItemFailures
    from =
      failure === undefined
        ? Math.min(delivered.length, from + size)
        : event.Records.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failure.itemIdentifier) +
          start
  }
}

describe('whatever is delivered', () => {
  property.prop([deliveries, outcomes, fc.integer({ min: 1, max: 5 })])(
    'all below the number reported is taken in, a stream in its order',
    async ([, delivered], fates, streams) => {
      const taken = new Set<Commit>()
      const last = new Map<StreamName, number>()
      let tries = 0
      const work = byStream(
        (commit) => async () => {
          const at = delivered.findIndex(
            ({ stream, number }) => stream === commit.stream && number === commit.number,
          )
          expect(at).toBeGreaterThan(last.get(commit.stream) ?? -1)
          last.set(commit.stream, at)
          const fails = fates[tries++] === false
          for (let turn = 0; turn < tries % 4; turn += 1) await Promise.resolve()
          if (fails) return E.left(unavailable('a planted fault'))
          const one = delivered[at]
          if (one !== undefined) taken.add(one)
          return E.right(undefined)
        },
        streams,
      )
      const { batchItemFailures } = await batchConsumer({ work })(eventOf(delivered))
      const [failure, ...more] = batchItemFailures
      expect(more).toEqual([])
      const done = delivered.filter(
        (_, at) => failure === undefined || BigInt(sequenceNumber(at)) < BigInt(failure.itemIdentifier),
      )
      expect(done.filter((commit) => !taken.has(commit))).toEqual([])
      expect(failure === undefined).toBe(taken.size === delivered.length)
    },
  )

  property.prop([deliveries, fc.array(fc.nat(6), { minLength: 1 }), outcomes])(
    'cut anywhere, delivered again and out of order, the rows are those of the log',
    async ([log, delivered], cuts, fates) => {
      const store = plainStore()
      for (const commit of log) await store.append(commit)()
      const { views, rows } = plainViews()
      let writes = 0
      const troubled: typeof views = {
        ...views,
        put: (...asked) =>
          fates[writes++] === false
            ? async () => E.left(unavailable('a planted fault'))
            : views.put(...asked),
      }
      const work = projector({ projections: [projection], store, views: troubled, clock })
      await deliverAll(batchConsumer({ work }), delivered, cuts)
      const expected = Map.groupBy(log, ({ stream }) => stream)
      for (const [stream, commits] of expected) {
        const ids = commits.flatMap(({ number, answers }) =>
          answers.flatMap(({ events }) => events.map((_, index) => `${stream}@${number}.${index}`)),
        )
        expect(rows().find(({ sk }) => sk === stream)?.value ?? []).toEqual(ids)
      }
    },
  )
})

/** Every place in a value, as the way to it. */
const placesOf = (value: unknown, way: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> => [
  way,
  ...(typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, part]) => placesOf(part, [...way, key]))
    : []),
]

const DROPPED = Symbol('dropped')

const changed = (value: unknown, [key, ...way]: ReadonlyArray<string>, to: unknown): unknown => {
  if (key === undefined) return to
  if (Array.isArray(value))
    return value.flatMap((part, at) => {
      const next = String(at) === key ? changed(part, way, to) : part
      return next === DROPPED ? [] : [next]
    })
  return Object.fromEntries(
    Object.entries(value as object)
      .map(([name, part]) => [name, name === key ? changed(part, way, to) : part] as const)
      .filter(([, part]) => part !== DROPPED),
  )
}

const large = history(tally('a'), [['x'.repeat(3000)]])
const whole = JSON.parse(JSON.stringify(eventOf([...three, ...large]))) as { Records: ReadonlyArray<unknown> }
const places = placesOf(whole)

describe('an event that is broken anywhere', () => {
  const replacement = fc.oneof(
    fc.constant(DROPPED),
    fc.jsonValue(),
    fc.constantFrom('', 'REMOVE ', -1, 1e300),
  )
  property.prop([fc.constantFrom(...places), replacement], { numRuns: 1500 })(
    'is thrown or reported, with a path, or all of it is taken in',
    async (place, to) => {
      const event = changed(whole, place, to)
      // A record that is not there cannot be missed, nor a list of records that is.
      fc.pre(!(place.length === 2 && to === DROPPED))
      const taken: Array<Commit> = []
      const logged: Array<unknown> = []
      const consumer = batchConsumer({ work: remembering(taken), log: (entry) => logged.push(entry) })
      const answer = await consumer(event).catch((error: unknown) => error)
      if (answer instanceof Error) {
        expect(answer.name).toBe('MalformedEvent')
        expect(answer.message).toMatch(/(^|: )(\/[^ ]*)? ?is /)
        return
      }
      const { batchItemFailures } = answer as { batchItemFailures: ReadonlyArray<{ itemIdentifier: string }> }
      if (batchItemFailures.length === 0) expect(taken).toHaveLength(4)
      else {
        expect(JSON.stringify(logged)).toContain('"pointer":"/Records/')
        const [failure] = batchItemFailures
        expect(JSON.stringify(event)).toContain(`"SequenceNumber":"${failure?.itemIdentifier}"`)
      }
    },
  )
})

test('the handler is one of Lambda', () => {
  expectTypeOf(batchConsumer({ work: async () => [DONE, FAILED] })).toExtend<
    (event: Parameters<DynamoDBStreamHandler>[0]) => Promise<Awaited<ReturnType<DynamoDBStreamHandler>>>
  >()
})
