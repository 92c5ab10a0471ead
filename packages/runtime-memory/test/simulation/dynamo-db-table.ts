/** One table with an index and a stream, and requests of the model in few words. */
import {
  type AttributeValue,
  type DynamoDb,
  type DynamoDbAnswer,
  dynamoDb,
  type Item,
  initial,
  type TableDefinition,
} from '../../src/simulation/models/dynamo-db/index.ts'

export const TABLE = 'orders'
export const START_MS = 1_767_225_600_000

const definition: TableDefinition = {
  TableName: TABLE,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'N' },
    { AttributeName: 'ipk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'inverted',
      KeySchema: [
        { AttributeName: 'ipk', KeyType: 'HASH' },
        { AttributeName: 'pk', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  ttl: 'ttl',
}

export const empty = (): DynamoDb => initial([definition], START_MS)

export const S = (text: string): AttributeValue => ({ S: text })
export const N = (number: number): AttributeValue => ({ N: String(number) })

export const itemOf = (pk: string, sk: number, rest: Item = {}): Item => ({ pk: S(pk), sk: N(sk), ...rest })

interface Told {
  readonly nowMs?: number
  readonly deviation?: string
}

/** The input with the table in it, also within a transaction. */
export const inputOf = (input: object): object => ({ TableName: TABLE, ...input })

export const step = (
  state: DynamoDb,
  operation: string,
  input: object,
  { nowMs = START_MS, deviation }: Told = {},
): { readonly state: DynamoDb; readonly answer: DynamoDbAnswer } =>
  dynamoDb.step(
    state,
    { operation, input: inputOf(input) },
    { nowMs, ...(deviation === undefined ? {} : { deviation }) },
  )

/** The output of a request that has to go through. */
export const output = (
  state: DynamoDb,
  operation: string,
  input: object,
  told: Told = {},
): Readonly<Record<string, unknown>> => {
  const { answer } = step(state, operation, input, told)
  if (answer._tag === 'Refused') throw new Error(`${answer.error}: ${answer.message}`)
  return answer.output as Readonly<Record<string, unknown>>
}

/** The state after requests that all have to go through. */
export const after = (
  state: DynamoDb,
  ...requests: ReadonlyArray<readonly [string, object, Told?]>
): DynamoDb =>
  requests.reduce((before, [operation, input, told]) => {
    const { state: next, answer } = step(before, operation, input, told)
    if (answer._tag === 'Refused') throw new Error(`${answer.error}: ${answer.message}`)
    return next
  }, state)

export const puts = (state: DynamoDb, ...items: ReadonlyArray<Item>): DynamoDb =>
  after(state, ...items.map((Item) => ['PutItem', { Item }] as const))

/** What is offered, of a request that may tell when it was sent. */
export const offers = (state: DynamoDb, operation: string, input: object, sentAfter?: number) =>
  dynamoDb.offers(state, {
    operation,
    input: inputOf(input),
    ...(sentAfter === undefined ? {} : { sentAfter }),
  })

export const putIn = (Item: Item, more: object = {}) => ({ Put: { TableName: TABLE, Item, ...more } })
