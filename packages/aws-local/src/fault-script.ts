/** What goes wrong with the calls of a service, as a script that a test writes. */

/** One call, as it went over the wire. */
export interface Call {
  /** The name that requests to it are signed for: `dynamodb`, `events`, `kms`, `scheduler`, `sqs`, `kinesis`, `s3`. */
  readonly service: string
  /** `PutItem`; for a protocol without such names, which are S3's and Scheduler's, the method and the path. */
  readonly operation: string
  /** The how-manieth call of this operation it is, from 1, counting the SDK's own retries. */
  readonly count: number
  /** The body as it was sent; empty where it is a stream. */
  readonly body: string
}

export type Fault =
  /** Refused for being one too many: nothing is applied, and the SDK tries again. */
  | { readonly _tag: 'Throttled' }
  /** Refused by a service that speaks JSON, with the error of this name and these fields: nothing is applied. */
  | { readonly _tag: 'Refused'; readonly error: string; readonly fields?: object }
  /** The connection breaks before the service hears of the call. */
  | { readonly _tag: 'RequestLost' }
  /** The call is applied, and then the connection breaks: the SDK tries again what has already happened. */
  | { readonly _tag: 'ResponseLost' }
  /** The service hears of the call only when the promise resolves. */
  | { readonly _tag: 'RequestLate'; readonly until: Promise<unknown> }
  /** The call is applied at once, and its answer arrives when the promise resolves. */
  | { readonly _tag: 'ResponseLate'; readonly until: Promise<unknown> }

/** What goes wrong with this call; nothing if undefined. Asked once for each call, in the order in which they come. */
export type FaultScript = (call: Call) => Fault | undefined

/** Counts the calls of each operation. */
export const counter = (): {
  readonly next: (operation: string) => number
  readonly of: (operation: string) => number
} => {
  const counts = new Map<string, number>()
  const of = (operation: string) => counts.get(operation) ?? 0
  return {
    of,
    next: (operation) => {
      counts.set(operation, of(operation) + 1)
      return of(operation)
    },
  }
}
