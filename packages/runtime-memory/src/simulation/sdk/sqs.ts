/**
 * SQS as a client of the AWS SDK speaks to it: JSON 1.0, with the errors of the older query protocol in a header.
 *
 * Source: Smithy, "AWS JSON 1.0 protocol" and "awsQueryCompatible trait"; AWS SDK, client-sqs schemas (2026-11).
 */
import type { At, Stepped } from '../models/model.ts'
import {
  type Entry,
  type Letter,
  type MessageAttributes,
  type Received,
  type Refusal,
  type Sent,
  type SqsAnswer,
  type SqsRequest,
  type SqsState,
  sqsModel,
  waitMs,
} from '../models/sqs.ts'
import { answerOf, type HttpAnswer, type HttpRequest, headerOf, jsonOf } from './http.ts'

export const sqsWire = {
  wire: (state: SqsState, request: HttpRequest, at: At): Stepped<SqsState, HttpAnswer> => {
    const asked = requestOf(request)
    if (asked === undefined) return { state, answer: errorOf(UNKNOWN) }
    const stepped = sqsModel.step(state, asked, at)
    return { state: stepped.state, answer: written(stepped.answer, jsonOf(request)) }
  },
  offers: (state: SqsState, request: HttpRequest): ReadonlyArray<string> => {
    const asked = requestOf(request)
    return asked === undefined ? [] : sqsModel.offers(state, asked)
  },
  /** How long the call waits while it is answered with no message. */
  waitMs: (state: SqsState, request: HttpRequest): number => {
    const asked = requestOf(request)
    return asked === undefined ? 0 : waitMs(state, asked)
  },
}

// Reading

type Json = Readonly<Record<string, unknown>>

/** What the model is asked; undefined for an operation that it does not have. */
const requestOf = (request: HttpRequest): SqsRequest | undefined => {
  const operation = headerOf(request, 'x-amz-target').split('.').at(-1) ?? ''
  return READERS[operation]?.(jsonOf(request))
}

const READERS: Readonly<Record<string, (input: Json) => SqsRequest>> = {
  CreateQueue: (input) => ({
    _tag: 'CreateQueue',
    queue: textOf(input['QueueName']),
    attributes: textsOf(input['Attributes']),
  }),
  GetQueueUrl: (input) => ({ _tag: 'GetQueueUrl', queue: textOf(input['QueueName']) }),
  GetQueueAttributes: (input) => ({ _tag: 'GetQueueAttributes', queue: nameOf(input) }),
  SetQueueAttributes: (input) => ({
    _tag: 'SetQueueAttributes',
    queue: nameOf(input),
    attributes: textsOf(input['Attributes']),
  }),
  ListDeadLetterSourceQueues: (input) => ({ _tag: 'ListDeadLetterSources', queue: nameOf(input) }),
  SendMessage: (input) => ({ _tag: 'Send', queue: nameOf(input), letter: letterOf(input) }),
  SendMessageBatch: (input) => ({
    _tag: 'SendBatch',
    queue: nameOf(input),
    entries: entriesOf(input, letterOf),
  }),
  ReceiveMessage: (input) => ({
    _tag: 'Receive',
    queue: nameOf(input),
    ...given('limit', input['MaxNumberOfMessages'], Number),
    ...given('visibilitySeconds', input['VisibilityTimeout'], Number),
    ...given('waitSeconds', input['WaitTimeSeconds'], Number),
    ...given('attemptId', input['ReceiveRequestAttemptId'], textOf),
  }),
  DeleteMessage: (input) => ({ _tag: 'Delete', queue: nameOf(input), ...handleOf(input) }),
  DeleteMessageBatch: (input) => ({
    _tag: 'DeleteBatch',
    queue: nameOf(input),
    entries: entriesOf(input, handleOf),
  }),
  ChangeMessageVisibility: (input) => ({
    _tag: 'ChangeVisibility',
    queue: nameOf(input),
    ...visibilityOf(input),
  }),
  ChangeMessageVisibilityBatch: (input) => ({
    _tag: 'ChangeVisibilityBatch',
    queue: nameOf(input),
    entries: entriesOf(input, visibilityOf),
  }),
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const textsOf = (value: unknown) => (value ?? {}) as Readonly<Record<string, string>>

/** Of a queue's address its last step alone tells which it is. */
const nameOf = ({ QueueUrl: url }: Json): string => textOf(url).split('/').at(-1) ?? ''

const given = <Name extends string, Value>(
  name: Name,
  value: unknown,
  read: (value: unknown) => Value,
): { readonly [Key in Name]?: Value } =>
  value === undefined || value === null ? {} : ({ [name]: read(value) } as { readonly [Key in Name]: Value })

const letterOf = (input: Json): Letter => ({
  body: textOf(input['MessageBody']),
  ...given('attributes', input['MessageAttributes'], attributesOf),
  ...given('delaySeconds', input['DelaySeconds'], Number),
  ...given('group', input['MessageGroupId'], textOf),
  ...given('deduplicationId', input['MessageDeduplicationId'], textOf),
})

const attributesOf = (value: unknown): MessageAttributes =>
  Object.fromEntries(
    Object.entries(value as Readonly<Record<string, Json>>).map(([name, attribute]) => [
      name,
      {
        dataType: textOf(attribute['DataType']),
        ...given('stringValue', attribute['StringValue'], textOf),
        ...given('binaryValue', attribute['BinaryValue'], textOf),
      },
    ]),
  )

const handleOf = (input: Json) => ({ receipt: textOf(input['ReceiptHandle']) })

const visibilityOf = (input: Json) => ({
  ...handleOf(input),
  visibilitySeconds: Number(input['VisibilityTimeout'] ?? Number.NaN),
})

const entriesOf = <What extends object>(
  { Entries: entries }: Json,
  read: (entry: Json) => What,
): ReadonlyArray<Entry<What>> =>
  ((entries ?? []) as ReadonlyArray<Json>).map((entry) =>
    Object.assign(read(entry), { id: textOf(entry['Id']) }),
  )

// Writing

const CONTENT = { 'content-type': 'application/x-amz-json-1.0' }

const written = (answer: SqsAnswer, input: Json): HttpAnswer =>
  answer._tag === 'Refused' ? errorOf(answer) : answerOf(200, contentOf(answer, input), CONTENT)

const contentOf = (answer: Exclude<SqsAnswer, { readonly _tag: 'Refused' }>, input: Json): unknown => {
  switch (answer._tag) {
    case 'Queue':
      return { QueueUrl: answer.url }
    case 'Queues':
      return { queueUrls: answer.urls }
    case 'Attributes':
      return { Attributes: chosen(answer.attributes, namesOf(input['AttributeNames'])) }
    case 'Sent':
      return sentJson(answer)
    case 'Done':
      return {}
    case 'Batch':
      return {
        Successful: answer.successful.map(({ id, ...sent }) => ({ Id: id, ...sentJson(sent) })),
        ...(answer.failed.length === 0 ? {} : { Failed: answer.failed.map(failureJson) }),
      }
    case 'Received':
      // No list at all stands for none, as the service has it.
      return answer.messages.length === 0
        ? {}
        : { Messages: answer.messages.map((one) => messageJson(one, input)) }
  }
}

const sentJson = ({ messageId, md5OfBody, md5OfAttributes, sequenceNumber }: Partial<Sent>) => ({
  MessageId: messageId,
  MD5OfMessageBody: md5OfBody,
  MD5OfMessageAttributes: md5OfAttributes,
  SequenceNumber: sequenceNumber,
})

const failureJson = ({ id, code, message, senderFault }: Entry<Refusal>) => ({
  Id: id,
  Code: code,
  Message: message,
  SenderFault: senderFault,
})

const messageJson = (message: Received, input: Json) => {
  const system = [...namesOf(input['AttributeNames']), ...namesOf(input['MessageSystemAttributeNames'])]
  const attributes = chosen(message.attributes, system)
  const named = chosen(message.messageAttributes, namesOf(input['MessageAttributeNames']))
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: message.md5OfBody,
    Body: message.body,
    ...(Object.keys(attributes).length === 0 ? {} : { Attributes: attributes }),
    ...(Object.keys(named).length === 0
      ? {}
      : { MessageAttributes: attributesJson(named), MD5OfMessageAttributes: message.md5OfMessageAttributes }),
  }
}

const attributesJson = (attributes: MessageAttributes) =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      { DataType: dataType, StringValue: stringValue, BinaryValue: binaryValue },
    ]),
  )

const namesOf = (value: unknown) => (value ?? []) as ReadonlyArray<string>

/** Those of these names: all of them for `All` and `.*`, those that begin so for `name.*`. */
const chosen = <Value>(
  all: Readonly<Record<string, Value>>,
  names: ReadonlyArray<string>,
): Readonly<Record<string, Value>> =>
  Object.fromEntries(
    Object.entries(all).filter(([name]) =>
      names.some((asked) =>
        asked.endsWith('.*') ? name.startsWith(asked.slice(0, -2)) : asked === 'All' || asked === name,
      ),
    ),
  )

const UNKNOWN: Refusal = { code: 'InvalidAction', message: 'The action is not valid.', senderFault: true }

/** What the older protocol calls an error, where that is not its name, and its status where that is not 400. */
const ERRORS: Readonly<Record<string, { readonly query: string; readonly status?: number }>> = {
  BatchEntryIdsNotDistinct: { query: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct' },
  BatchRequestTooLong: { query: 'AWS.SimpleQueueService.BatchRequestTooLong' },
  EmptyBatchRequest: { query: 'AWS.SimpleQueueService.EmptyBatchRequest' },
  InvalidBatchEntryId: { query: 'AWS.SimpleQueueService.InvalidBatchEntryId' },
  MessageNotInflight: { query: 'AWS.SimpleQueueService.MessageNotInflight' },
  QueueDoesNotExist: { query: 'AWS.SimpleQueueService.NonExistentQueue' },
  QueueNameExists: { query: 'QueueAlreadyExists' },
  ReceiptHandleIsInvalid: { query: 'ReceiptHandleIsInvalid', status: 404 },
  TooManyEntriesInBatchRequest: { query: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest' },
}

const errorOf = ({ code, message, senderFault }: Refusal): HttpAnswer => {
  const { query, status = 400 } = ERRORS[code] ?? { query: code }
  return answerOf(
    status,
    { __type: `com.amazonaws.sqs#${code}`, message },
    { ...CONTENT, 'x-amzn-query-error': `${query};${senderFault ? 'Sender' : 'Receiver'}` },
  )
}
