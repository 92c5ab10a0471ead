/** Random requests of DynamoDB over few keys, valid and invalid, of every operation on items that the model has. */
// oxlint-disable oxc/no-map-spread -- every input is made once, and of parts that others have too
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { fc } from '@fast-check/vitest'

/** One call: the operation, and its input but for the table. */
export interface Call {
  readonly operation:
    | 'GetItem'
    | 'PutItem'
    | 'UpdateItem'
    | 'DeleteItem'
    | 'Query'
    | 'Scan'
    | 'BatchGetItem'
    | 'BatchWriteItem'
    | 'TransactWriteItems'
    | 'TransactGetItems'
  readonly input: object
}

/** DynamoDB Local leaves a number inside of a document as it was written, also where that is not its shortest text. */
const anyNumber = fc.constantFrom('0', '1', '-1', '2', '1.5', '12345678901234567890.5', '-0.25')

const anyWrittenNumber = fc.oneof(anyNumber, fc.constantFrom('1.50', '007', '1e3', '-0', '2E-3'))

const anyScalar: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'b', 'ü', '\u{1f98a}', '\uff5e').map((S) => ({ S })),
  anyNumber.map((N) => ({ N })),
  fc.constantFrom([], [1], [1, 2], [255]).map((bytes) => ({ B: Uint8Array.from(bytes) })),
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.constant({ NULL: true as const }),
)

const anyValue: fc.Arbitrary<AttributeValue> = fc.oneof(
  { weight: 4, arbitrary: anyScalar },
  fc.constantFrom(['x'], ['y', 'x'], ['z']).map((SS) => ({ SS: [...SS] })),
  fc.constantFrom(['1'], ['2', '1']).map((NS) => ({ NS: [...NS] })),
  fc.array(anyScalar, { maxLength: 3 }).map((L) => ({ L })),
  fc.dictionary(fc.constantFrom('x', 'y'), anyScalar, { noNullPrototype: true }).map((M) => ({ M })),
)

const anyKey = fc.record({
  pk: fc.constantFrom('p', 'q', '\u{1f98a}').map((S) => ({ S })),
  sk: fc.constantFrom('1', '2', '3', '10', '-4').map((N) => ({ N })),
})

/** Now and then one that no table of this key takes. */
const anyGivenKey: fc.Arbitrary<object> = fc.oneof(
  { weight: 12, arbitrary: anyKey },
  fc.constantFrom<object>(
    { pk: { S: 'p' } },
    { pk: { S: '' }, sk: { N: '1' } },
    { pk: { S: 'p' }, sk: { S: '1' } },
    { pk: { S: 'p' }, sk: { N: '1' }, more: { S: 'x' } },
  ),
)

const anyItem = fc
  .tuple(
    anyKey,
    fc.record({ a: anyValue, b: anyValue, n: anyWrittenNumber.map((N) => ({ N })) }, { requiredKeys: [] }),
    fc.option(
      fc.constantFrom('i', 'j').map((S) => ({ S })),
      { nil: undefined },
    ),
  )
  .map(([key, rest, ipk]) => ({ ...key, ...rest, ...(ipk === undefined ? {} : { ipk }) }))

/** Conditions over the attributes `a`, `b` and `n`, with the values that they name. */
const CONDITIONS = [
  'attribute_not_exists(pk)',
  'attribute_exists(pk)',
  'attribute_exists(a) AND NOT attribute_exists(b)',
  'a = :v',
  'a <> :v',
  'a < :v OR a >= :v',
  'n BETWEEN :one AND :ten',
  'n BETWEEN :ten AND :one',
  'n IN (:one, :ten) OR (a = b)',
  'attribute_type(a, :type)',
  'begins_with(a, :text)',
  'contains(a, :text) OR contains(b, :v)',
  'size(a) > :one',
  'size(a) = size(b)',
  '#n > :one and not (#n = :ten)',
  'a.x = :v',
  'a[0] = :v OR a[1] <> :v',
  'a = a',
  'a = :missing',
  'a ==',
  'value = :v',
  'NOT n = :one',
  'b.y > :one',
] as const

const UPDATES = [
  'SET a = :v',
  'SET n = n + :one',
  'SET n = if_not_exists(n, :ten) - :one',
  'SET a = list_append(if_not_exists(a, :list), :list)',
  'SET a[0] = :v, a[7] = :one',
  'SET a[9] = :one, a[8] = :ten',
  'SET a.x = :v',
  'SET a = b, b = a',
  'REMOVE a',
  'REMOVE a, b',
  'REMOVE a[0]',
  'REMOVE a[0], a[1]',
  'REMOVE a.x SET b = :v',
  'ADD n :one',
  'ADD a :set',
  'DELETE a :set',
  'ADD a :v',
  'SET a = :v, a.x = :one',
  'SET pk = :text',
  'SET ipk = :text',
  'SET ipk = :one',
  'SET a = :v SET b = :v',
  'SET a = size(b)',
  'SET a = :v ADD n :ten REMOVE b',
  'SET #n = :ten',
] as const

const VALUES: Readonly<Record<string, AttributeValue>> = {
  ':one': { N: '1' },
  ':ten': { N: '10' },
  ':text': { S: 'a' },
  ':type': { S: 'N' },
  ':list': { L: [{ S: 'one' }] },
  ':set': { SS: ['x', 'y'] },
}

/** The placeholders that the expressions use, `:v` being this value. */
const placeholders = (value: AttributeValue, ...expressions: ReadonlyArray<string | undefined>): object => {
  const text = expressions.join(' ')
  const used = [...new Set(text.match(/:\w+/g))].flatMap((name) => {
    const known = name === ':v' ? value : VALUES[name]
    return known === undefined ? [] : [[name, known] as const]
  })
  return {
    ...(text.includes('#n') ? { ExpressionAttributeNames: { '#n': 'n' } } : {}),
    ...(used.length === 0 ? {} : { ExpressionAttributeValues: Object.fromEntries(used) }),
  }
}

const anyCondition = fc.option(fc.constantFrom(...CONDITIONS), { nil: undefined })

const conditional = (ConditionExpression: string | undefined, isShown: boolean) =>
  ConditionExpression === undefined
    ? {}
    : { ConditionExpression, ...(isShown ? { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } : {}) }

const anyPut = fc
  .tuple(anyItem, anyCondition, anyValue, fc.boolean())
  .map(([Item, condition, value, isShown]) => ({
    Item,
    ...conditional(condition, isShown),
    ...placeholders(value, condition),
  }))

const anyDelete = fc
  .tuple(anyGivenKey, anyCondition, anyValue, fc.boolean())
  .map(([Key, condition, value, isShown]) => ({
    Key,
    ...conditional(condition, isShown),
    ...placeholders(value, condition),
  }))

const anyUpdate = fc
  .tuple(anyGivenKey, fc.constantFrom(...UPDATES), anyCondition, anyValue, fc.boolean())
  .map(([Key, UpdateExpression, condition, value, isShown]) => ({
    Key,
    UpdateExpression,
    ...conditional(condition, isShown),
    ...placeholders(value, UpdateExpression, condition),
  }))

const anyCheck = fc
  .tuple(anyKey, fc.constantFrom(...CONDITIONS), anyValue, fc.boolean())
  .map(([Key, condition, value, isShown]) => ({
    Key,
    ...conditional(condition, isShown),
    ...placeholders(value, condition),
  }))

const anyReturns = fc.constantFrom('NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW')

const returning = (write: fc.Arbitrary<object>) =>
  fc.tuple(write, anyReturns).map(([input, ReturnValues]) => ({ ...input, ReturnValues }))

const PROJECTIONS = ['a', 'a.x, b', 'a[0], a[1]', 'a, a.x', 'pk, sk', 'b[1], n'] as const

const anyProjection = fc
  .option(fc.constantFrom(...PROJECTIONS), { nil: undefined })
  .map((ProjectionExpression) => (ProjectionExpression === undefined ? {} : { ProjectionExpression }))

const anyGet = fc.tuple(anyGivenKey, anyProjection).map(([Key, projection]) => ({ Key, ...projection }))

/** Of a key that is wrong, DynamoDB Local cancels the transaction without a reason. */
const anyGetInTransaction = fc
  .tuple(anyKey, anyProjection)
  .map(([Key, projection]) => ({ Key, ...projection }))

const KEY_CONDITIONS = [
  'pk = :pk',
  'pk = :pk AND sk > :low',
  'pk = :pk AND sk <= :low',
  'pk = :pk AND sk BETWEEN :low AND :high',
  ':pk = pk AND sk = :low',
  'pk > :pk',
  'sk = :low',
  'pk = :pk AND a = :low',
] as const

const KEY_VALUES: Readonly<Record<string, AttributeValue>> = { ':low': { N: '2' }, ':high': { N: '9' } }

const FILTERS = [undefined, 'attribute_exists(a)', 'n > :low', 'n = :high', 'sk > :low'] as const

const anyQuery = fc
  .tuple(
    fc.constantFrom(...KEY_CONDITIONS),
    fc.constantFrom('p', 'q', '\u{1f98a}', ''),
    fc.constantFrom(...FILTERS),
    fc.record(
      {
        Limit: fc.integer({ min: 1, max: 3 }),
        ScanIndexForward: fc.boolean(),
        ConsistentRead: fc.boolean(),
        Select: fc.constantFrom('COUNT', 'ALL_ATTRIBUTES'),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([KeyConditionExpression, pk, FilterExpression, rest]) => {
    const used = [...new Set(`${KeyConditionExpression} ${FilterExpression}`.match(/:\w+/g))]
    return {
      KeyConditionExpression,
      ...(FilterExpression === undefined ? {} : { FilterExpression }),
      ExpressionAttributeValues: Object.fromEntries(
        used.map((name) => [name, name === ':pk' ? { S: pk } : KEY_VALUES[name]]),
      ),
      ...rest,
    }
  })

const anyIndexQuery = fc
  .tuple(fc.constantFrom('i', 'j'), fc.boolean(), fc.boolean())
  .map(([ipk, isPrefixed, ConsistentRead]) => ({
    IndexName: 'inverted',
    KeyConditionExpression: isPrefixed ? 'ipk = :ipk AND begins_with(pk, :p)' : 'ipk = :ipk',
    ExpressionAttributeValues: { ':ipk': { S: ipk }, ...(isPrefixed ? { ':p': { S: 'p' } } : {}) },
    ...(ConsistentRead ? { ConsistentRead } : {}),
  }))

const anyScan = fc.record(
  { Limit: fc.integer({ min: 1, max: 4 }), IndexName: fc.constant('inverted'), Select: fc.constant('COUNT') },
  { requiredKeys: [] },
)

const anyAction = fc.oneof(
  { weight: 3, arbitrary: anyPut.map((Put) => ({ Put })) },
  anyUpdate.map((Update) => ({ Update })),
  anyDelete.map((Delete) => ({ Delete })),
  anyCheck.map((ConditionCheck) => ({ ConditionCheck })),
)

/** Of one item there is one action: of several, DynamoDB Local tells otherwise where a condition fails, too. */
const placeOf = (action: object): string => {
  const [write] = Object.values(action) as ReadonlyArray<{ readonly Item?: object; readonly Key?: object }>
  const { pk, sk } = (write?.Item ?? write?.Key ?? {}) as { readonly pk?: object; readonly sk?: object }
  return JSON.stringify([pk, sk])
}

/** What a call has beside its table, which is in each of its parts where there are several. */
export const anyCall: fc.Arbitrary<Call> = fc.oneof(
  { weight: 5, arbitrary: returning(anyPut).map((input) => ({ operation: 'PutItem' as const, input })) },
  {
    weight: 6,
    arbitrary: returning(anyUpdate).map((input) => ({ operation: 'UpdateItem' as const, input })),
  },
  {
    weight: 2,
    arbitrary: returning(anyDelete).map((input) => ({ operation: 'DeleteItem' as const, input })),
  },
  { weight: 2, arbitrary: anyGet.map((input) => ({ operation: 'GetItem' as const, input })) },
  { weight: 3, arbitrary: anyQuery.map((input) => ({ operation: 'Query' as const, input })) },
  { weight: 1, arbitrary: anyIndexQuery.map((input) => ({ operation: 'Query' as const, input })) },
  { weight: 1, arbitrary: anyScan.map((input) => ({ operation: 'Scan' as const, input })) },
  {
    weight: 1,
    arbitrary: fc
      .array(anyKey, { minLength: 1, maxLength: 4 })
      .map((keys) => ({ operation: 'BatchGetItem' as const, input: { keys } })),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(
        fc.oneof(
          anyItem.map((Item) => ({ PutRequest: { Item } })),
          anyKey.map((Key) => ({ DeleteRequest: { Key } })),
        ),
        { minLength: 1, maxLength: 4 },
      )
      .map((requests) => ({ operation: 'BatchWriteItem' as const, input: { requests } })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.uniqueArray(anyAction, { minLength: 1, maxLength: 4, selector: placeOf }),
        fc.option(fc.constantFrom('one', 'two'), { nil: undefined }),
      )
      .map(([actions, token]) => ({
        operation: 'TransactWriteItems' as const,
        input: { actions, token },
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .uniqueArray(anyGetInTransaction, {
        minLength: 1,
        maxLength: 3,
        selector: ({ Key }) => JSON.stringify(Key),
      })
      .map((gets) => ({ operation: 'TransactGetItems' as const, input: { gets } })),
  },
)
