/**
 * What Lambda hands to a function that was invoked asynchronously, and what it tells a destination of an event that it
 * gave up. The payloads of streams and queues are with their services.
 */
import type { GivenUp } from './async-invocations.ts'

/** What EventBridge Scheduler hands to a function: its input, which is no envelope. Source: Scheduler User Guide, templated targets (2026-11). */
export const scheduledPayload = (input: string): unknown => JSON.parse(input)

export interface DestinationContext {
  readonly functionArn: string
  readonly nowMs: number
  /** What the last invocation failed with. */
  readonly error?: { readonly errorMessage: string; readonly errorType: string }
}

/** Source: Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations" (2026-11). */
export const onFailure = <Payload>(
  { event, reason, invocations }: GivenUp<Payload>,
  { functionArn, nowMs, error }: DestinationContext,
): object => ({
  version: '1.0',
  timestamp: new Date(nowMs).toISOString(),
  requestContext: {
    requestId: event.requestId,
    functionArn: `${functionArn}:$LATEST`,
    condition: reason === 'retries exhausted' ? 'RetriesExhausted' : 'EventAgeExceeded',
    approximateInvokeCount: invocations,
  },
  requestPayload: event.payload,
  ...(error === undefined
    ? {}
    : {
        responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        responsePayload: { ...error, trace: [] },
      }),
})
