/** The view store over DynamoDB Local: core's suite, the one in memory as its model, and the faults of a connection. */
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import type { Fault as Broken } from '@everfold/aws-local'
import {
  E,
  type Fault,
  type Generation,
  type Json,
  type Row,
  type RowQuery,
  type Sources,
  type StreamName,
  streamName,
  type ViewStore,
} from '@everfold/core'
import { viewStoreSuite } from '@everfold/core/conformance'
import { memoryViewStore, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/system-clock.ts'
import { rightOf, viewsOver, viewsTable } from './views.ts'

/** Apart, because a scan reads whatever else there is in the table. */
const tables = {
  conformance: viewsTable('conformance'),
  model: viewsTable('model'),
  faults: viewsTable('faults'),
  limits: viewsTable('limits'),
}
// For a machine that is busy with other tests.
vi.setConfig({ testTimeout: 60_000 })

const one = streamName('order', 'one')
const other = streamName('order', 'other')

let runs = 0
/** A generation that nobody else has. */
const fresh = (): Generation => {
  runs += 1
  return { projection: 'tested', generation: `run-${runs}` }
}

const rowOf = (sk: string, value?: Json, sources: Sources = { [one]: 1 }): Row => ({
  pk: 'p',
  sk,
  ...(value === undefined ? {} : { value }),
  sources,
})

/** The keys of what is stored for a generation, in a table that fits into one page. */
const items = async (
  table: string,
  generation: Generation,
  index?: string,
): Promise<ReadonlyArray<string>> => {
  const { client } = viewsOver(table)
  const scan = new ScanCommand({ TableName: table, ...(index === undefined ? {} : { IndexName: index }) })
  const { Items = [] } = await client.send(scan)
  return Items.map(({ pk, sk }) => `${pk?.S} ${sk?.S}`).filter((key) =>
    key.startsWith(`${generation.projection}#${generation.generation}`),
  )
}

describe('the view store', () => {
  const suite = viewStoreSuite(async () => ({
    views: viewsOver(await tables.conformance).views,
    advance: systemClock.sleep,
  }))
  for (const { title, run } of suite)
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

const anySources = fc.dictionary(fc.constantFrom(one, other), fc.integer({ min: 1, max: 3 }), {
  noNullPrototype: true,
}) as fc.Arbitrary<Sources>
const anyKey = fc.constantFrom('a', 'a#', 'a#1', 'a#2', 'b', '#', '@', '\uff5e', '\u{1f98a}')
const anyQuery: fc.Arbitrary<RowQuery> = fc.record(
  {
    index: fc.constant('inverted' as const),
    pk: anyKey,
    skPrefix: fc.oneof(anyKey, fc.constant('')),
    after: fc.oneof(anyKey, fc.constantFrom('', 'a#11', 'zzz')),
    limit: fc.integer({ min: 0, max: 4 }),
    descending: fc.boolean(),
  },
  { requiredKeys: ['pk', 'limit'] },
)
const anyGeneration = fc.constantFrom<Generation>(
  { projection: 'v', generation: '1' },
  { projection: 'v', generation: '1#a' },
  { projection: 'v#1', generation: 'a' },
)

type Asked =
  | { readonly _tag: 'put'; readonly row: Row; readonly expected: 'as stored' | Sources | undefined }
  | { readonly _tag: 'query'; readonly query: RowQuery }
  | { readonly _tag: 'advance'; readonly stream: StreamName; readonly commit: number }
  | { readonly _tag: 'activate' }
  | { readonly _tag: 'drop' }

const anyRow: fc.Arbitrary<Row> = fc.record(
  { pk: anyKey, sk: anyKey, value: fc.constantFrom<Json>(1, 'text', { deep: [null] }), sources: anySources },
  { requiredKeys: ['pk', 'sk', 'sources'] },
)
const anyPut = fc.record({
  _tag: fc.constant('put' as const),
  row: anyRow,
  expected: fc.oneof(
    { weight: 5, arbitrary: fc.constant('as stored' as const) },
    { weight: 1, arbitrary: fc.option(anySources, { nil: undefined }) },
  ),
})
const anyAdvance = fc.record({
  _tag: fc.constant('advance' as const),
  stream: fc.constantFrom(one, other),
  commit: fc.integer({ min: 1, max: 9 }),
})
const anyAsked: fc.Arbitrary<Asked> = fc.oneof(
  { weight: 12, arbitrary: anyPut },
  { weight: 6, arbitrary: fc.record({ _tag: fc.constant('query' as const), query: anyQuery }) },
  { weight: 3, arbitrary: anyAdvance },
  { weight: 1, arbitrary: fc.constant({ _tag: 'activate' as const }) },
  { weight: 1, arbitrary: fc.constant({ _tag: 'drop' as const }) },
)

/** The answers of both stores, which should be one. */
type Pair = readonly [ours: unknown, model: unknown]

const ask = async (
  stores: readonly [ViewStore, ViewStore],
  generation: Generation,
  asked: Asked,
): Promise<Pair> => {
  const [ours, model] = stores
  const both = async (call: (store: ViewStore) => Promise<unknown>): Promise<Pair> => [
    await call(ours),
    await call(model),
  ]
  switch (asked._tag) {
    case 'put': {
      const { row } = asked
      const stored = rightOf(await model.get(generation, row)())
      const expected = asked.expected === 'as stored' ? stored?.sources : asked.expected
      const answers = await both((store) => store.put(generation, row, expected)())
      // A put that finds the very row it wanted to put is not told from one that was sent twice.
      return JSON.stringify(stored) === JSON.stringify({ ...stored, ...row }) &&
        E.isRight(answers[0] as never)
        ? [undefined, undefined]
        : answers
    }
    case 'query':
      return both((store) => store.query(generation, asked.query)())
    case 'advance':
      await both((store) => store.advance(generation, asked.stream, asked.commit)())
      return both((store) => store.progress(generation, asked.stream)())
    case 'activate':
      await both((store) => store.activate(generation)())
      return both((store) => store.active(generation.projection)())
    case 'drop':
      return both((store) => store.drop(generation)())
  }
}

describe('whatever is asked', () => {
  property.prop([fc.array(fc.tuple(anyGeneration, anyAsked), { minLength: 20, maxLength: 50 })], {
    numRuns: 12,
  })('the store on DynamoDB answers as the one in memory', async (calls) => {
    const { views } = viewsOver(await tables.model)
    const model = memoryViewStore(virtualKernel({ mode: 'immediate' }))
    runs += 1
    for (const [{ projection, generation }, asked] of calls) {
      const own = { projection: `${runs}/${projection}`, generation }
      const [answer, expected] = await ask([views, model], own, asked)
      expect(answer).toEqual(expected)
      if (asked._tag === 'put')
        expect(await views.get(own, asked.row)()).toEqual(await model.get(own, asked.row)())
    }
  })

  const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n))
  const nested = (depth: number): Json => (depth === 0 ? '' : [{ '': nested(depth - 1) }])
  const anyValue = fc.oneof(
    fc.json({ maxDepth: 5, stringUnit: 'binary' }).map((text) => JSON.parse(text) as Json),
    fc.array(anyNumber),
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
    fc.integer({ min: 1, max: 200 }).map(nested),
  )
  property.prop([anyValue])('a value reads back exactly', async (value) => {
    const generation = fresh()
    const { views } = viewsOver(await tables.model)
    expect(await views.put(generation, rowOf('s', value), undefined)()).toEqual(E.right('stored'))
    expect(await views.get(generation, { pk: 'p', sk: 's' })()).toEqual(E.right(rowOf('s', value)))
  })
})

describe('a connection that breaks', () => {
  const anyFault = fc.constantFrom<Broken | undefined>(
    undefined,
    undefined,
    { _tag: 'ResponseLost' },
    { _tag: 'RequestLost' },
    { _tag: 'Throttled' },
  )
  property.prop([fc.array(anyFault, { maxLength: 8 })], { numRuns: 10 })(
    'changes no answer of the store',
    async (faults) => {
      let calls = 0
      const { views: shaken } = viewsOver(await tables.faults, () => faults[calls++])
      const generation = fresh()
      const puts = [
        [rowOf('s', 1), undefined, 'stored'],
        [rowOf('s', 2), undefined, 'conflict'],
        [rowOf('s', 3, { [one]: 2 }), { [one]: 1 }, 'stored'],
        [rowOf('s', undefined, { [one]: 3 }), { [one]: 2 }, 'stored'],
        [rowOf('s', 4, { [one]: 2 }), { [one]: 2 }, 'conflict'],
      ] as const
      for (const [row, expected, answer] of puts)
        expect(await shaken.put(generation, row, expected)()).toEqual(E.right(answer))
      expect(await shaken.advance(generation, one, 3)()).toEqual(E.right(undefined))
      expect(await shaken.progress(generation, one)()).toEqual(E.right(3))
    },
  )

  test('once behind the back of the SDK does not make a put a conflict with itself', async () => {
    const { views: shaken } = viewsOver(await tables.faults, ({ operation, count }) =>
      operation === 'PutItem' && count === 1 ? { _tag: 'ResponseLost' } : undefined,
    )
    expect(await shaken.put(fresh(), rowOf('s', 1), undefined)()).toEqual(E.right('stored'))
  })

  test('and stays broken is a fault, and nothing is thrown', async () => {
    const { views: cut } = viewsOver(await tables.faults, () => ({ _tag: 'RequestLost' }), 100)
    const generation = fresh()
    const answers = [
      await cut.get(generation, { pk: 'p', sk: 's' })(),
      await cut.put(generation, rowOf('s', 1), undefined)(),
      await cut.query(generation, { pk: 'p', limit: 1 })(),
      await cut.advance(generation, one, 1)(),
      await cut.drop(generation)(),
    ]
    for (const answer of answers) expect(answer).toMatchObject(E.left({ _tag: 'Unavailable' }))
  })

  test('leaves what a batch did not do to be done again', async () => {
    const generation = fresh()
    const table = await tables.faults
    const { views, client } = viewsOver(table)
    const keys = Array.from({ length: 60 }, (_, at) => `${100 + at}`)
    for (const pk of keys) rightOf(await views.put(generation, { ...rowOf('s', pk), pk }, undefined)())
    cutShort(client, 7)
    const listed = rightOf(await views.query(generation, { index: 'inverted', pk: 's', limit: 100 })())
    expect(listed.rows.map(({ value }) => value)).toEqual(keys)
    expect(await views.drop(generation)()).toEqual(E.right(undefined))
    expect(await items(table, generation)).toEqual([])
  })
})

/** From now on no batch of this client does more than so many of its requests: the rest is left undone. */
const cutShort = ({ middlewareStack }: DynamoDBClient, most: number): void => {
  middlewareStack.add(
    (next) => async (args) => {
      const { RequestItems: asked } = args.input as { RequestItems?: Record<string, Batch> }
      const [table, batch] = Object.entries(asked ?? {})[0] ?? ['', []]
      const isRead = !Array.isArray(batch)
      const requests = isRead ? (batch as Reads).Keys : (batch as Writes)
      if (requests.length <= most) return next(args)
      const some = (part: Writes) => ({ [table]: isRead ? { ...(batch as Reads), Keys: part } : part })
      const input = { ...args.input, RequestItems: some(requests.slice(0, most)) }
      const answer = await next({ ...args, input })
      const rest = some(requests.slice(most))
      Object.assign(answer.output as object, isRead ? { UnprocessedKeys: rest } : { UnprocessedItems: rest })
      return answer
    },
    { step: 'initialize' },
  )
}
type Writes = ReadonlyArray<unknown>
type Reads = { readonly Keys: Writes }
type Batch = Reads | Writes

const big = (bytes: number): string => 'x'.repeat(bytes)

const faultOf = (answer: E.Either<Fault, unknown>): string => {
  if (E.isRight(answer)) return 'none'
  return 'what' in answer.left ? answer.left.what : answer.left._tag
}

describe('the limits of DynamoDB', () => {
  let views: ViewStore
  beforeAll(async () => {
    ;({ views } = viewsOver(await tables.limits))
  })

  test('a key that is too long is refused by name, and the longest one is not', async () => {
    const generation = { projection: 'v', generation: 'long' }
    const prefix = Buffer.byteLength('v#long#')
    const longest = { pk: 'ü'.repeat(508), sk: 'k'.repeat(1024) }
    expect(prefix + Buffer.byteLength(longest.pk)).toBe(1023)
    const row: Row = { ...longest, value: 1, sources: {} }
    expect(await views.put(generation, row, undefined)()).toEqual(E.right('stored'))
    expect(await views.get(generation, longest)()).toEqual(E.right(row))
    const inverted = { index: 'inverted', pk: longest.sk, after: 'ü'.repeat(507), limit: 1 } as const
    expect(await views.query(generation, inverted)()).toEqual(E.right({ rows: [row] }))
    for (const wrong of [{ pk: `${longest.pk}ü` }, { sk: `${longest.sk}k` }, { sk: '' }, { pk: '\ud800' }]) {
      const key = { ...longest, ...wrong }
      const faults = [
        faultOf(await views.put(generation, { ...row, ...wrong }, undefined)()),
        faultOf(await views.get(generation, key)()),
      ]
      expect(faults).toEqual([faults[1], expect.stringMatching(/partition key|sort key/)])
    }
    const tooLong = { pk: 'p', skPrefix: `${longest.sk}k`, limit: 1 }
    expect(faultOf(await views.query(generation, tooLong)())).toContain('sort key')
    const stream = streamName('order', big(2048))
    expect(faultOf(await views.advance(generation, stream, 1)())).toContain('partition key')
    expect(faultOf(await views.progress(generation, stream)())).toContain('partition key')
  })

  test('a row is too large just where DynamoDB says so', async () => {
    const generation = fresh()
    const room = 400 * 1024 - 200
    let refused = 0
    for (const extra of [0, 60, 90, 120, 150, 199]) {
      const put = await views.put(generation, rowOf(`${extra}`, big(room + extra)), undefined)()
      if (E.isLeft(put)) refused += 1
      expect(['TooLarge', 'none']).toContain(faultOf(put))
    }
    expect(refused).toBeGreaterThan(0)
    expect(refused).toBeLessThan(6)
  })

  test('a row of thousands of sources is compared with them all', async () => {
    const generation = fresh()
    const sources = Object.fromEntries(
      Array.from({ length: 2000 }, (_, at) => [streamName('order', `${at}-${big(150)}`), at]),
    )
    const [last = one] = Object.keys(sources).slice(-1) as Array<StreamName>
    expect(await views.put(generation, rowOf('s', 1, sources), undefined)()).toEqual(E.right('stored'))
    const next = rowOf('s', 2, { ...sources, [last]: 9001 })
    expect(await views.put(generation, next, { ...sources, [last]: 9001 })()).toEqual(E.right('conflict'))
    expect(await views.put(generation, next, sources)()).toEqual(E.right('stored'))
    const more = rowOf('s', big(100_000), { ...next.sources, [other]: 1 })
    expect(await views.put(generation, more, next.sources)()).toMatchObject(
      E.left({ _tag: 'TooLarge', stream: other }),
    )
  })

  test('a page of tombstones alone is not the end', async () => {
    const generation = fresh()
    // A megabyte, at which DynamoDB ends a page.
    const dead = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [streamName('order', `${at}-${big(980)}`), 1]),
    )
    for (const sk of ['a', 'b', 'c', 'd', 'e'])
      rightOf(await views.put(generation, rowOf(sk, undefined, dead), undefined)())
    for (const sk of ['x', 'y']) rightOf(await views.put(generation, rowOf(sk, 1), undefined)())
    const read = rightOf(await views.query(generation, { pk: 'p', limit: 1 })())
    expect(read).toEqual({ rows: [rowOf('x', 1)], after: 'x' })
  })
})

describe('generations whose names look like keys', () => {
  test('do not meet, and are dropped apart', async () => {
    const { views } = viewsOver(await tables.model)
    const [{ generation: run }] = [fresh()]
    const named: ReadonlyArray<readonly [Generation, pk: string]> = [
      [{ projection: run, generation: '1' }, 'a#x'],
      [{ projection: run, generation: '1#a' }, 'x'],
      [{ projection: `${run}#1`, generation: 'a' }, 'x'],
      [{ projection: run, generation: '1@' }, 'x'],
      [{ projection: run, generation: '1%23a' }, 'x'],
    ]
    const rows = named.map(([, pk], at) => ({ pk, sk: 's', value: at, sources: { [one]: 1 } }))
    for (const [at, [generation]] of named.entries()) {
      expect(await views.put(generation, rows[at] ?? rowOf('s'), undefined)()).toEqual(E.right('stored'))
      rightOf(await views.advance(generation, one, at + 1)())
    }
    rightOf(await views.drop({ projection: run, generation: '1' })())
    const left = [undefined, ...rows.slice(1)]
    for (const [at, [generation, pk]] of named.entries()) {
      expect(await views.get(generation, { pk, sk: 's' })()).toEqual(E.right(left[at]))
      expect(await views.progress(generation, one)()).toEqual(E.right(at === 0 ? 0 : at + 1))
    }
  })
})

describe('the inverted index', () => {
  test('has live rows only: no tombstone, no progress', async () => {
    const generation = fresh()
    const table = await viewsTable('index')
    const { views } = viewsOver(table)
    rightOf(await views.advance(generation, one, 1)())
    rightOf(await views.put(generation, rowOf('live', 1), undefined)())
    rightOf(await views.put(generation, rowOf('dead', 1), undefined)())
    rightOf(await views.put(generation, rowOf('dead', undefined, { [one]: 2 }), { [one]: 1 })())
    expect(await items(table, generation)).toHaveLength(3)
    expect(await items(table, generation, 'inverted')).toEqual([`tested#${generation.generation}#p live`])
  })
})
