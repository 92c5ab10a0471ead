/**
 * Calls of an AWS client, tried again while that can help and time is left.
 *
 * The SDK makes three or four attempts of its own within a second. Above it, throttling and conflicts between
 * transactions, which the SDK does not retry at all, are worth waiting for.
 * Source: AWS SDK v3, `@smithy/service-error-classification`; "Exponential Backoff And Jitter", AWS Architecture Blog.
 */
import { type Clock, E, type Fault, unavailable } from '@everfold/core'

export interface Patience {
  readonly clock: Clock
  /** How long one call may take with all its repeats; 10 s unless told. A Lambda has to answer within its own time. */
  readonly budgetMs?: number
}

const BUDGET_MS = 10_000
const SHORTEST_MS = 20
const LONGEST_MS = 2_000

/** The answer of `call`, or the last error once it is no use to try again. */
export const patiently = async <A>(
  { clock, budgetMs = BUDGET_MS }: Patience,
  call: () => Promise<A>,
  worthRetrying: (error: unknown) => boolean = isTransient,
): Promise<E.Either<unknown, A>> => {
  const untilMs = clock.nowMs() + budgetMs
  for (let attempt = 0; ; attempt += 1) {
    try {
      return E.right(await call())
    } catch (error) {
      const waitMs = clock.random() * Math.min(LONGEST_MS, SHORTEST_MS * 2 ** attempt)
      if (!worthRetrying(error) || clock.nowMs() + waitMs > untilMs) return E.left(error)
      await clock.sleep(waitMs)
    }
  }
}

/** The same with a fault for what went wrong: for calls that only have to be made again. */
export const patientlyOr = async <A>(
  patience: Patience,
  what: string,
  call: () => Promise<A>,
): Promise<E.Either<Fault, A>> => {
  const outcome = await patiently(patience, call)
  return E.isLeft(outcome) ? E.left(unavailable(what, outcome.left)) : outcome
}

/** The name that an AWS service gives its error; undefined for what is none, such as a connection that broke. */
export const errorName = (error: unknown): string | undefined => {
  const name = (error as { readonly name?: unknown } | null)?.name
  return typeof name === 'string' ? name : undefined
}

const TRANSIENT: ReadonlySet<string> = new Set([
  'ConditionalRequestConflict',
  'InternalFailure',
  'InternalServerError',
  'KMSInternalException',
  'KeyUnavailableException',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'SlowDown',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
  'TransactionConflictException',
  'TransactionInProgressException',
])

/** Whether the same call may go through later: throttled, in conflict, or without an answer. */
export const isTransient = (error: unknown): boolean => {
  const { $metadata: metadata, $retryable: retryable } = (error ?? {}) as {
    readonly $metadata?: { readonly httpStatusCode?: number }
    readonly $retryable?: unknown
  }
  if (retryable !== undefined || TRANSIENT.has(errorName(error) ?? '')) return true
  const status = metadata?.httpStatusCode
  return status === undefined ? isConnectionError(error) : status >= 500 || status === 429
}

/**
 * The system's codes (`ECONNRESET`, `EAI_AGAIN`) and those that Node has for a connection that ended early; its other
 * `ERR_` codes tell of a wrong call. Source: Node.js, "Errors" (2026-11).
 */
const BROKEN = /^(?:E[A-Z]+|EAI_[A-Z]+|ERR_(?:HTTP2|SOCKET)_\w+|ERR_STREAM_PREMATURE_CLOSE)$/

const isConnectionError = (error: unknown): boolean => {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' && BROKEN.test(code)
}
