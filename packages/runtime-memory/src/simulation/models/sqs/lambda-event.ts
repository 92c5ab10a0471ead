/** Messages as Lambda hands them to a function. */
import type { Received } from './messages.ts'
import { arnOf, type MessageAttribute } from './queue.ts'

interface SqsRecord {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly attributes: Readonly<Record<string, string>>
  readonly messageAttributes: Readonly<Record<string, SqsRecordAttribute>>
  readonly md5OfBody: string
  readonly md5OfMessageAttributes?: string
  readonly eventSource: 'aws:sqs'
  readonly eventSourceARN: string
  readonly awsRegion: string
}

interface SqsRecordAttribute {
  readonly dataType: string
  readonly stringValue?: string
  readonly binaryValue?: string
  readonly stringListValues: ReadonlyArray<never>
  readonly binaryListValues: ReadonlyArray<never>
}

interface SqsEvent {
  readonly Records: ReadonlyArray<SqsRecord>
}

/** Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS", the example events (2026-11). */
export const sqsEvent = (messages: ReadonlyArray<Received>, queue: string): SqsEvent => ({
  Records: messages.map((message) => recordOf(message, arnOf(queue))),
})

const recordOf = ({ messageAttributes, ...message }: Received, eventSourceARN: string): SqsRecord => ({
  ...message,
  messageAttributes: Object.fromEntries(
    Object.entries(messageAttributes).map(([name, attribute]) => [name, attributeOf(attribute)]),
  ),
  eventSource: 'aws:sqs',
  eventSourceARN,
  awsRegion: eventSourceARN.split(':')[3] ?? '',
})

const attributeOf = (attribute: MessageAttribute): SqsRecordAttribute => ({
  ...attribute,
  stringListValues: [],
  binaryListValues: [],
})
