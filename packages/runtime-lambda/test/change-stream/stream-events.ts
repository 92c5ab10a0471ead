/** Events of the table's stream as Lambda gets them. */

import type { Commit } from '@everfold/core'
import type { AttributeValue, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda'
import { itemOf } from '../../src/store/commit-item.ts'

const attribute = (value: unknown): AttributeValue => {
  if (typeof value === 'string') return { S: value }
  return value instanceof Uint8Array ? { B: Buffer.from(value).toString('base64') } : { N: String(value) }
}

const imageOf = (item: object): Record<string, AttributeValue> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attribute(value)]))

/** What the table's stream says of an item that was put. */
export const recordOf = (item: { readonly pk: string; readonly sk: number }, at: number): DynamoDBRecord => {
  const { pk, sk } = item
  return {
    eventID: `event-${at}`,
    eventName: 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    eventSourceARN: 'arn:aws:dynamodb:us-east-1:123456789012:table/events/stream/2026-11-01T00:00:00.000',
    dynamodb: {
      ApproximateCreationDateTime: 1_767_225_600,
      Keys: imageOf({ pk, sk }),
      NewImage: imageOf(item),
      SequenceNumber: sequenceNumber(at),
      SizeBytes: 300,
      StreamViewType: 'NEW_IMAGE',
    },
  }
}

/** They grow, and not only in their last digits; longer ones are larger. */
export const sequenceNumber = (at: number): string => String(999_999_999_999_990n + BigInt(at))

export const eventOf = (commits: ReadonlyArray<Commit>, first: number = 0): DynamoDBStreamEvent => ({
  Records: commits.map((commit, at) => recordOf(itemOf(commit), first + at)),
})
