/** Finds the stream of a table: the newest, since each time that a table's stream is switched on it gets another. */
import { type DynamoDBStreamsClient, ListStreamsCommand } from '@aws-sdk/client-dynamodb-streams'
import { E, type Fault, type TE, unavailable } from '@everfold/core'
import { type Patience, patientlyOr } from '../patience.ts'

export interface StreamOfTableOptions extends Patience {
  readonly client: DynamoDBStreamsClient
  readonly table: string
}

export const streamOfTable =
  (options: StreamOfTableOptions): TE.TaskEither<Fault, string> =>
  async () => {
    const { client, table } = options
    let newest: { readonly arn: string; readonly label: string } | undefined
    let after: string | undefined
    do {
      const input = { TableName: table, ...(after === undefined ? {} : { ExclusiveStartStreamArn: after }) }
      const page = await patientlyOr(options, `the streams of ${table}`, () =>
        client.send(new ListStreamsCommand(input)),
      )
      if (E.isLeft(page)) return page
      // A label is the time at which the stream was switched on, in ISO 8601.
      for (const { StreamArn: arn, StreamLabel: label = '' } of page.right.Streams ?? [])
        if (arn !== undefined && (newest === undefined || label > newest.label)) newest = { arn, label }
      after = page.right.LastEvaluatedStreamArn
    } while (after !== undefined)
    return newest === undefined
      ? E.left(unavailable(`the table ${table} has no stream; it needs one of new images`))
      : E.right(newest.arn)
  }
