/** Events as Lambda makes them of a queue's messages. */
import type { Message } from '@everfold/core'
import type { SQSEvent, SQSRecord } from 'aws-lambda'
import { letterOf, tokenOf } from '../../src/letter.ts'

/** Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS", the example event of a FIFO queue. */
export const sqsRecord = (messageId: string, body: string, group: string): SQSRecord => ({
  messageId,
  receiptHandle: 'AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw...',
  body,
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: '1573251510774',
    SequenceNumber: '18849496460467696128',
    MessageGroupId: group,
    SenderId: 'AIDAIO23YVJENQZJOL4VO',
    MessageDeduplicationId: '1',
    ApproximateFirstReceiveTimestamp: '1573251510774',
  },
  messageAttributes: {},
  md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-2:123456789012:commands.fifo',
  awsRegion: 'us-east-2',
})

export const sqsEvent = (messages: ReadonlyArray<Message>): SQSEvent => ({
  Records: messages.map((message, at) => sqsRecord(`m-${at}`, letterOf(message), tokenOf(message.group))),
})
