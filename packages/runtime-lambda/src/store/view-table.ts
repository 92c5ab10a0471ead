/** The views table, and how to speak to it. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { E, type Fault, unavailable } from '@everfold/core'
import { type Patience, patientlyOr } from '../patience.ts'

export interface ViewTable extends Patience {
  readonly client: DynamoDBDocumentClient
  /** The table of views. */
  readonly table: string
}

export const WHAT = 'the view store'

/** One call and what is made of its answer, as a value either way. */
export const asked = <A>(options: ViewTable, call: (client: DynamoDBDocumentClient) => Promise<A>) =>
  patientlyOr(options, WHAT, () => call(options.client))

const FIRST_WAIT_MS = 20
const ATTEMPTS = 12

/** Sends the requests of a batch again for as long as DynamoDB leaves some of them undone. */
export const untilDone = async <Request>(
  options: ViewTable,
  requests: ReadonlyArray<Request>,
  send: (client: DynamoDBDocumentClient, requests: ReadonlyArray<Request>) => Promise<ReadonlyArray<Request>>,
): Promise<E.Either<Fault, void>> => {
  const { clock } = options
  let left = requests
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (left.length === 0) return E.right(undefined)
    if (attempt > 0) await clock.sleep(clock.random() * FIRST_WAIT_MS * 2 ** attempt)
    const pending = left
    const sent = await asked(options, (client) => send(client, pending))
    if (E.isLeft(sent)) return sent
    // Whatever went through shows that it is worth going on.
    if (sent.right.length < left.length) attempt = 0
    left = sent.right
  }
  return left.length === 0
    ? E.right(undefined)
    : E.left(unavailable(`${WHAT}: ${left.length} requests of a batch, again and again`))
}
