/** The model of DynamoDB: what its documents promise, whatever of what they allow happens. */
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { DYNAMODB } from '../../src/simulation/limits.ts'
import { type DynamoDb, dynamoDb, type Item } from '../../src/simulation/models/dynamo-db/index.ts'
import {
  after,
  empty,
  itemOf,
  N,
  offers,
  output,
  putIn,
  puts,
  S,
  START_MS,
  step,
  TABLE,
} from './dynamo-db-table.ts'
import { frozenDeep } from './frozen-deep.ts'

const anyKey = fc.record({
  pk: fc.constantFrom('p', 'q').map(S),
  sk: fc.integer({ min: 1, max: 4 }).map(N),
})

const anyItem = fc
  .tuple(anyKey, fc.integer({ min: 0, max: 3 }), fc.boolean())
  .map(
    ([{ pk, sk }, n, isIndexed]): Item =>
      isIndexed ? { pk, sk, n: N(n), ipk: S('i') } : { pk, sk, n: N(n) },
  )

const REQUESTS = {
  GetItem: anyKey.map((Key) => ({ Key })),
  PutItem: anyItem.map((item) => ({ Item: item })),
  DeleteItem: anyKey.map((Key) => ({ Key })),
  UpdateItem: anyKey.map((Key) => ({
    Key,
    UpdateExpression: 'ADD n :one',
    ExpressionAttributeValues: { ':one': N(1) },
  })),
  Query: fc.boolean().map((ConsistentRead) => ({
    KeyConditionExpression: 'pk = :p',
    ExpressionAttributeValues: { ':p': S('p') },
    ConsistentRead,
  })),
  Scan: fc.constant({ FilterExpression: 'n > :one', ExpressionAttributeValues: { ':one': N(1) } }),
  BatchGetItem: fc
    .uniqueArray(anyKey, { minLength: 1, maxLength: 3, selector: (key) => JSON.stringify(key) })
    .map((Keys) => ({ RequestItems: { [TABLE]: { Keys } } })),
  TransactWriteItems: fc
    .uniqueArray(anyItem, { minLength: 1, maxLength: 3, selector: ({ pk, sk }) => JSON.stringify([pk, sk]) })
    .map((items) => ({ TransactItems: items.map((item) => putIn(item)), ClientRequestToken: 'token' })),
}

type Operation = keyof typeof REQUESTS

interface Request {
  readonly operation: Operation
  readonly input: object
  /** Which of the offered deviations, if it is one of so many. */
  readonly deviation: number
}

const anyRequest: fc.Arbitrary<Request> = fc
  .constantFrom(...(Object.keys(REQUESTS) as ReadonlyArray<Operation>))
  .chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      input: REQUESTS[operation] as fc.Arbitrary<object>,
      deviation: fc.nat({ max: 12 }),
    }),
  )

const run = (state: DynamoDb, { operation, input, deviation: choice }: Request, nowMs = START_MS) => {
  const deviation = offers(state, operation, input)[choice]
  return step(state, operation, input, { nowMs, ...(deviation === undefined ? {} : { deviation }) })
}

const allOf = (state: DynamoDb): ReadonlyArray<Item> =>
  output(state, 'Scan', { ConsistentRead: true })['Items'] as ReadonlyArray<Item>

describe('whatever is asked, and whatever deviates', () => {
  property.prop([fc.array(anyRequest, { maxLength: 20 })])(
    'a state that was passed in stays as it is, and answers the same again',
    (requests) => {
      let state = frozenDeep(empty())
      for (const request of requests) {
        const first = run(state, request)
        expect(run(state, request)).toEqual(first)
        state = frozenDeep(first.state)
      }
    },
  )

  property.prop([fc.array(anyRequest, { maxLength: 20 })])(
    'what is refused has changed nothing',
    (requests) => {
      let state = empty()
      for (const request of requests) {
        const { state: next, answer } = run(state, request)
        if (answer._tag === 'Refused') expect(next).toBe(state)
        state = next
      }
    },
  )

  property.prop([fc.array(anyItem, { maxLength: 12 }), anyKey])(
    'a strongly consistent GetItem is throttled, or answers what was written last',
    (items, Key) => {
      const state = puts(empty(), ...items)
      expect(offers(state, 'GetItem', { Key, ConsistentRead: true })).toEqual(['throttled'])
      const last = items.findLast(
        ({ pk, sk }) => JSON.stringify([pk, sk]) === JSON.stringify([Key.pk, Key.sk]),
      )
      expect(output(state, 'GetItem', { Key, ConsistentRead: true })['Item']).toEqual(last)
    },
  )

  property.prop([
    fc.array(anyItem, { minLength: 1, maxLength: 8 }),
    fc.constantFrom('stale by 1', 'stale by 2', 'stale by 4'),
  ])('a stale read sees the table as it was so many writes ago', (items, words) => {
    const states = items.reduce<ReadonlyArray<DynamoDb>>(
      (before, item) => [...before, puts(before.at(-1) ?? empty(), item)],
      [empty()],
    )
    const [now, ago] = [states.at(-1) ?? empty(), Number(words.at(-1))]
    const then = states.at(-1 - ago)
    if (then === undefined) expect(offers(now, 'Scan', {})).not.toContain(words)
    else expect(output(now, 'Scan', {}, { deviation: words })['Items']).toEqual(allOf(then))
  })
})

/** All pages of a query or a scan, with the deviations that these choices take of what is offered. */
const paged = (
  state: DynamoDb,
  operation: 'Query' | 'Scan',
  input: object,
  choices: ReadonlyArray<number>,
) => {
  const found: Array<Item> = []
  let pages = 0
  let start: unknown
  do {
    const asked = start === undefined ? input : { ...input, ExclusiveStartKey: start }
    const offered = offers(state, operation, asked).filter((words) => words.endsWith('page'))
    const deviation = offered[(choices[pages % choices.length] ?? 0) % 4]
    const page = output(state, operation, asked, deviation === undefined ? {} : { deviation })
    const items = page['Items'] as ReadonlyArray<Item>
    found.push(...items)
    pages += 1
    start = page['LastEvaluatedKey']
    if (pages > 100) throw new Error('the pages do not end')
  } while (start !== undefined)
  return found
}

const anyChoices = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 6 })
const anyLimit = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })

describe('the pages of a read', () => {
  property.prop([fc.array(anyItem, { maxLength: 12 }), anyChoices, anyLimit, fc.boolean()])(
    'are together what is there, each item once and in order, however they are cut',
    (items, choices, Limit, ScanIndexForward) => {
      const state = puts(empty(), ...items)
      const limited = Limit === undefined ? {} : { Limit }
      expect(paged(state, 'Scan', limited, choices)).toEqual(allOf(state))
      const query = {
        KeyConditionExpression: 'pk = :p AND sk BETWEEN :low AND :high',
        FilterExpression: 'n <> :none',
        ExpressionAttributeValues: { ':p': S('p'), ':low': N(1), ':high': N(3), ':none': N(0) },
        ConsistentRead: true,
        ScanIndexForward,
        ...limited,
      }
      const wanted = allOf(state)
        .filter(
          ({ pk, sk, n }) =>
            pk?.['S' as never] === 'p' && Number(sk?.['N' as never]) <= 3 && n?.['N' as never] !== '0',
        )
        .toSorted((one, other) => Number(one['sk']?.['N' as never]) - Number(other['sk']?.['N' as never]))
      const found = paged(state, 'Query', query, choices)
      expect(found).toEqual(ScanIndexForward ? wanted : wanted.toReversed())
    },
  )

  property.prop([fc.array(anyItem, { maxLength: 12 }), fc.integer({ min: 1, max: 4 })])(
    'of all segments of a scan are together the scan, and of an index what has its key',
    (items, TotalSegments) => {
      const state = puts(empty(), ...items)
      const parts = Array.from(
        { length: TotalSegments },
        (_, Segment) => output(state, 'Scan', { Segment, TotalSegments })['Items'],
      )
      expect(parts.flat()).toEqual(allOf(state))
      const indexed = output(state, 'Scan', { IndexName: 'inverted' })['Items'] as ReadonlyArray<Item>
      expect(indexed.length).toBe(allOf(state).filter(({ ipk }) => ipk !== undefined).length)
      for (const item of indexed) expect(Object.keys(item).toSorted()).toEqual(['ipk', 'pk', 'sk'])
    },
  )

  test('may be empty and have others behind them', () => {
    const state = puts(empty(), ...[1, 2, 3].map((sk) => itemOf('p', sk, { n: N(sk) })))
    const scan = { FilterExpression: 'n = :three', ExpressionAttributeValues: { ':three': N(3) } }
    expect(offers(state, 'Scan', scan)).toEqual(
      expect.arrayContaining(['stale by 1', 'short page', 'empty page', 'throttled']),
    )
    expect(output(state, 'Scan', scan, { deviation: 'empty page' })).toMatchObject({
      Items: [],
      Count: 0,
      ScannedCount: 2,
      LastEvaluatedKey: itemOf('p', 2),
    })
  })

  test('end at a megabyte of what was read, before the filter', () => {
    const large = S('x'.repeat(300_000))
    const state = puts(empty(), ...[1, 2, 3, 4, 5].map((sk) => itemOf('p', sk, { large, n: N(sk) })))
    const query = {
      KeyConditionExpression: 'pk = :p',
      FilterExpression: 'n > :four',
      ExpressionAttributeValues: { ':p': S('p'), ':four': N(4) },
      ConsistentRead: true,
    }
    expect(output(state, 'Query', query)).toMatchObject({
      Items: [],
      ScannedCount: 4,
      LastEvaluatedKey: itemOf('p', 4),
    })
  })
})

const refusal = (state: DynamoDb, operation: string, input: object, told = {}) => {
  const { answer } = step(state, operation, input, told)
  return answer._tag === 'Refused' ? answer : undefined
}

describe('a transaction', () => {
  property.prop([
    fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
    fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }),
  ])('writes all of its items, or none and says in their order why', (wanted, taken) => {
    const before = puts(empty(), ...taken.map((sk) => itemOf('p', sk)))
    const TransactItems = wanted.map((sk) =>
      putIn(itemOf('p', sk, { n: N(1) }), { ConditionExpression: 'attribute_not_exists(pk)' }),
    )
    const { state, answer } = step(before, 'TransactWriteItems', { TransactItems })
    const codes = wanted.map((sk) => (taken.includes(sk) ? 'ConditionalCheckFailed' : 'None'))
    if (answer._tag === 'Answered') {
      expect(codes).not.toContain('ConditionalCheckFailed')
      expect(allOf(state).length).toBe(taken.length + wanted.length)
      return
    }
    expect(answer.error).toBe('TransactionCanceledException')
    expect(
      (answer.fields['CancellationReasons'] as ReadonlyArray<{ Code: string }>).map(({ Code }) => Code),
    ).toEqual(codes)
    expect(state).toBe(before)
  })

  const TransactItems = [putIn(itemOf('p', 1)), putIn(itemOf('q', 1)), putIn(itemOf('p', 2))]
  const ClientRequestToken = 'token'

  test('under a known token is a success that writes nothing, for ten minutes', () => {
    const condition = { ConditionExpression: 'attribute_not_exists(pk)' }
    const input = { TransactItems: [putIn(itemOf('p', 1), condition)], ClientRequestToken }
    const state = after(empty(), ['TransactWriteItems', input])
    const later = { nowMs: START_MS + DYNAMODB.tokenMs - 1 }
    expect(step(state, 'TransactWriteItems', input, later)).toMatchObject({
      state,
      answer: { _tag: 'Answered' },
    })
    expect(refusal(state, 'TransactWriteItems', { ...input, TransactItems }, later)?.error).toBe(
      'IdempotentParameterMismatchException',
    )
    expect(refusal(state, 'TransactWriteItems', input, { nowMs: START_MS + DYNAMODB.tokenMs })?.error).toBe(
      'TransactionCanceledException',
    )
  })

  test('may be in conflict, throttled, and in progress where it is repeated', () => {
    const input = { TransactItems, ClientRequestToken }
    expect(offers(empty(), 'TransactWriteItems', input)).toEqual([
      'overtaken',
      'split',
      'conflict',
      'throttled',
    ])
    const state = after(empty(), ['TransactWriteItems', input])
    expect(offers(state, 'TransactWriteItems', input)).toContain('in progress')
    expect(refusal(state, 'TransactWriteItems', input, { deviation: 'in progress' })?.error).toBe(
      'TransactionInProgressException',
    )
    expect(refusal(empty(), 'TransactWriteItems', input, { deviation: 'conflict' })?.fields).toMatchObject({
      CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }, { Code: 'None' }],
    })
    expect(refusal(empty(), 'PutItem', { Item: itemOf('p', 1) }, { deviation: 'conflict' })?.error).toBe(
      'TransactionConflictException',
    )
  })

  test('is seen in part by reads that are not bound to one place of its order', () => {
    const before = puts(empty(), itemOf('p', 1, { n: N(0) }))
    const state = after(before, ['TransactWriteItems', { TransactItems }])
    const query = { KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': S('p') } }
    const deviation = 'half of a transaction'
    expect(offers(state, 'Query', query)).toContain(deviation)
    expect(output(state, 'Query', query, { deviation })['Items']).toEqual([itemOf('p', 1)])
    expect(output(state, 'Query', query, { deviation: 'other half of a transaction' })['Items']).toEqual([
      itemOf('p', 1, { n: N(0) }),
      itemOf('p', 2),
    ])
  })

  test('is seen in part by a consistent read only where that was sent before it', () => {
    const before = empty()
    const state = after(before, ['TransactWriteItems', { TransactItems }])
    const scan = { ConsistentRead: true }
    expect(offers(state, 'Scan', scan)).toEqual(['short page', 'throttled'])
    expect(offers(state, 'Scan', scan, state.writes)).toEqual(['short page', 'throttled'])
    expect(offers(state, 'Scan', scan, before.writes)).toContain('half of a transaction')
  })

  test('takes no two actions on one item, none without an action, and not more than its limits', () => {
    const twice = [putIn(itemOf('p', 1)), putIn(itemOf('p', 1))]
    const many = Array.from({ length: DYNAMODB.transactionActions + 1 }, (_, sk) => putIn(itemOf('p', sk)))
    const large = Array.from({ length: 11 }, (_, sk) => putIn(itemOf('p', sk, { x: S('x'.repeat(399_000)) })))
    for (const items of [twice, [], many, large])
      expect(refusal(empty(), 'TransactWriteItems', { TransactItems: items })?.error).toBe(
        'ValidationException',
      )
    const most = { TransactItems: many.slice(1) }
    expect(refusal(empty(), 'TransactWriteItems', most)).toBeUndefined()
    expect(refusal(empty(), 'TransactWriteItems', { TransactItems: large.slice(1) })).toBeUndefined()
  })
})

const asked = (Keys: ReadonlyArray<Item>) => ({ RequestItems: { [TABLE]: { Keys, ConsistentRead: true } } })

describe('a batch', () => {
  property.prop([
    fc.uniqueArray(anyItem, {
      minLength: 1,
      maxLength: 6,
      selector: ({ pk, sk }) => JSON.stringify([pk, sk]),
    }),
    fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
  ])('whose unprocessed part is sent again is done', (items, faults) => {
    let state = empty()
    let left: Readonly<Record<string, ReadonlyArray<object>>> = {
      [TABLE]: items.map((item) => ({ PutRequest: { Item: item } })),
    }
    for (let round = 0; Object.keys(left).length > 0; round += 1) {
      const input = { RequestItems: left }
      const isOffered = offers(state, 'BatchWriteItem', input).includes('unprocessed')
      const deviation =
        isOffered && faults[round % faults.length] === true ? { deviation: 'unprocessed' } : {}
      const { state: next, answer } = step(state, 'BatchWriteItem', input, deviation)
      if (answer._tag === 'Refused') throw new Error(answer.message)
      left = (answer.output as { UnprocessedItems: typeof left }).UnprocessedItems
      state = next
    }
    expect(allOf(state)).toHaveLength(items.length)
  })

  test('leaves nothing undone of a single request, and what is undone is as it was asked', () => {
    const state = puts(empty(), itemOf('p', 1), itemOf('p', 2))
    const keys = [itemOf('p', 1), itemOf('p', 2)]
    expect(offers(state, 'BatchGetItem', asked(keys.slice(1)))).toEqual(['throttled'])
    expect(output(state, 'BatchGetItem', asked(keys), { deviation: 'unprocessed' })).toEqual({
      Responses: { [TABLE]: [itemOf('p', 1)] },
      UnprocessedKeys: asked(keys.slice(1)).RequestItems,
    })
  })
})

const sized = (bytes: number) => itemOf('p', 1, { x: S('x'.repeat(bytes - 8)) })

describe('an item', () => {
  test('of 400 KB fits and a larger one does not, nor does a key beyond its limit', () => {
    expect(refusal(empty(), 'PutItem', { Item: sized(DYNAMODB.itemBytes) })).toBeUndefined()
    expect(refusal(empty(), 'PutItem', { Item: sized(DYNAMODB.itemBytes + 1) })).toMatchObject({
      error: 'ValidationException',
      message: 'Item size has exceeded the maximum allowed size',
    })
    const key = itemOf('p'.repeat(DYNAMODB.partitionKeyBytes + 1), 1)
    expect(refusal(empty(), 'PutItem', { Item: key })?.error).toBe('ValidationException')
  })

  test('whose time has passed is read until it is swept', () => {
    const nowS = START_MS / 1000
    const state = puts(empty(), itemOf('p', 1, { ttl: N(nowS) }), itemOf('p', 2, { ttl: N(nowS + 60) }))
    const nowMs = START_MS + 1000
    expect(allOf(state)).toHaveLength(2)
    const swept = dynamoDb.step(state, { operation: 'Sweep', input: { TableName: TABLE } }, { nowMs }).state
    expect(allOf(swept)).toEqual([itemOf('p', 2, { ttl: N(nowS + 60) })])
  })

  test('takes capacity by its size, twice in a transaction, and in an index what is projected', () => {
    const input = {
      Item: itemOf('p', 1, { x: S('x'.repeat(1500)), ipk: S('i') }),
      ReturnConsumedCapacity: 'INDEXES',
    }
    expect(output(empty(), 'PutItem', input)['ConsumedCapacity']).toEqual({
      TableName: TABLE,
      CapacityUnits: 3,
      Table: { CapacityUnits: 2 },
      GlobalSecondaryIndexes: { inverted: { CapacityUnits: 1 } },
    })
    const transaction = { TransactItems: [putIn(input.Item)], ReturnConsumedCapacity: 'TOTAL' }
    expect(output(empty(), 'TransactWriteItems', transaction)['ConsumedCapacity']).toEqual([
      { TableName: TABLE, CapacityUnits: 6 },
    ])
    const get = { Key: itemOf('p', 9), ReturnConsumedCapacity: 'TOTAL' }
    expect(output(empty(), 'GetItem', get)['ConsumedCapacity']).toEqual({
      TableName: TABLE,
      CapacityUnits: 0.5,
    })
  })
})
