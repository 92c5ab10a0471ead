/** What Lambda wants to hear of a batch, whether of a stream or of a queue: what has to come again, or nothing. */
export interface BatchResponse {
  readonly batchItemFailures: Array<{ readonly itemIdentifier: string }>
}
