/** What requests of the SDK are about, in words that are the same in every run: no tokens, times or receipts. */
import { hash32 } from '../../../random.ts'

type Input = Readonly<Record<string, unknown>>

/** `events Order/7 3`; the keys of all items where there are several. */
export const dynamoDbSubject = (_operation: string, input: Input): string => {
  const actions = input['TransactItems'] as ReadonlyArray<Input> | undefined
  if (actions !== undefined) return actions.map((action) => itemSubject(firstOf(action))).join(' and ')
  const batch = input['RequestItems'] as Readonly<Record<string, unknown>> | undefined
  if (batch !== undefined)
    return Object.entries(batch)
      .map(([table, of]) => `${table} ${digest(of)}`)
      .join(' and ')
  return itemSubject(input)
}

const firstOf = (action: Input): Input => (Object.values(action)[0] ?? {}) as Input

const itemSubject = (input: Input): string => {
  const table = textOf(input['TableName'])
  const item = (input['Key'] ?? input['Item']) as Input | undefined
  if (item !== undefined) return `${table} ${scalarOf(item['pk'])} ${scalarOf(item['sk'])}`
  const values = (input['ExpressionAttributeValues'] ?? {}) as Input
  return [table, ...Object.values(values).map(scalarOf)].join(' ')
}

const scalarOf = (value: unknown): string => {
  const [plain] = typeof value === 'object' && value !== null ? Object.values(value) : [value]
  return typeof plain === 'string' ? plain : digest(plain)
}

/** `commands.fifo 01J…`: the queue, and what is sent to it. */
export const sqsSubject = (_operation: string, input: Input): string => {
  const queue = textOf(input['QueueUrl']).split('/').at(-1) ?? textOf(input['QueueName'])
  const entries = (input['Entries'] as ReadonlyArray<Input> | undefined) ?? [input]
  const named = entries.map((entry) => textOf(entry['MessageDeduplicationId']))
  return [queue, ...named].join(' ').trim()
}

export const schedulerSubject = (_operation: string, input: Input): string =>
  decodeURIComponent(textOf(input['path']).split('/')[2] ?? '')

/** The ids of the events, where they have one. */
export const eventBridgeSubject = (_operation: string, input: Input): string => {
  const entries = (input['Entries'] as ReadonlyArray<Input> | undefined) ?? []
  return entries.map((entry) => idIn(textOf(entry['Detail'])) ?? digest(entry['Detail'])).join(' ')
}

const idIn = (detail: string): string | undefined => /"id":"((?:[^"\\]|\\.)*)"/.exec(detail)?.[1]

export const kinesisSubject = (_operation: string, input: Input): string =>
  [textOf(input['StreamName'] ?? input['StreamARN']), textOf(input['PartitionKey'])].join(' ').trim()

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const digest = (value: unknown): string => hash32(JSON.stringify(value) ?? '').toString(16)
