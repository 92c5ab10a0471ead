/**
 * What Lambda reads from the answer to a batch when `ReportBatchItemFailures` is on.
 *
 * Success: no answer, an empty one, no list or an empty list. Failure of all: an identifier that is missing, null, empty
 * or of no item of the batch, and whatever is no such answer at all.
 * Source: Lambda Developer Guide, "Configuring partial batch response with DynamoDB and Lambda", and the same with SQS
 * (2026-11). That an answer which is no object, a list that is no list, and a stranger's sequence number count as
 * failure of all is inferred: the pages say so of invalid JSON and of a stranger's message id.
 */
export type Reported =
  | { readonly _tag: 'AllSucceeded' }
  | { readonly _tag: 'SomeFailed'; readonly identifiers: ReadonlySet<string> }
  | { readonly _tag: 'AllFailed' }

const ALL_SUCCEEDED: Reported = { _tag: 'AllSucceeded' }
const ALL_FAILED: Reported = { _tag: 'AllFailed' }

export const reported = (answer: unknown, items: ReadonlySet<string>): Reported => {
  if (answer === null || answer === undefined) return ALL_SUCCEEDED
  if (typeof answer !== 'object' || Array.isArray(answer)) return ALL_FAILED
  const list: unknown = 'batchItemFailures' in answer ? answer.batchItemFailures : undefined
  if (list === null || list === undefined) return ALL_SUCCEEDED
  if (!Array.isArray(list)) return ALL_FAILED
  const identifiers = new Set<string>()
  for (const failure of list) {
    const identifier = identifierOf(failure)
    if (identifier === undefined || !items.has(identifier)) return ALL_FAILED
    identifiers.add(identifier)
  }
  return identifiers.size === 0 ? ALL_SUCCEEDED : { _tag: 'SomeFailed', identifiers }
}

const identifierOf = (failure: unknown): string | undefined => {
  if (typeof failure !== 'object' || failure === null || !('itemIdentifier' in failure)) return undefined
  return typeof failure.itemIdentifier === 'string' ? failure.itemIdentifier : undefined
}
