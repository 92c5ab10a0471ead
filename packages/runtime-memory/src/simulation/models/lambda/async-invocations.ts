/**
 * Lambda's queue of asynchronous invocations.
 *
 * A function error has the event run again, twice, after one minute and after two; a throttle puts it back for as long as
 * it may wait. Law: an accepted event is successful, given up with a reason, or still pending, unless Lambda dropped it.
 *
 * Source: Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation" (2026-11): it may
 * come twice without an error, and be dropped where the function does not keep up.
 */
import { ASYNC_LAMBDA } from '../../limits.ts'
import type { InvocationOutcome } from '../event-source-mapping/index.ts'
import type { At } from '../model.ts'
import { offersOf } from '../offers.ts'

export interface AsyncSettings {
  /** How often an event is run again after a function error; 2 unless told. */
  readonly maximumRetryAttempts?: 0 | 1 | 2
  /** 6 h unless told. */
  readonly maximumEventAgeMs?: number
}

/** An event for a function. */
interface AsyncEvent<Payload> {
  readonly requestId: string
  readonly function: string
  readonly payload: Payload
}

export interface AsyncInvocation<Payload> extends AsyncEvent<Payload> {
  /** Not the request's: an event that comes twice has one request. */
  readonly id: string
  /** 1, 2, 3, ... */
  readonly attempt: number
}

interface PendingEvent<Payload> {
  readonly id: string
  readonly event: AsyncEvent<Payload>
  readonly acceptedMs: number
  readonly dueMs: number
  readonly running: boolean
  readonly failures: number
  readonly throttles: number
}

interface AsyncState<Payload> {
  readonly pending: ReadonlyArray<PendingEvent<Payload>>
  readonly accepted: number
}

/** An event that is run no more. */
export interface GivenUp<Payload> {
  readonly event: AsyncEvent<Payload>
  readonly reason: 'retries exhausted' | 'too old'
  readonly invocations: number
}

interface AsyncStep<Payload> {
  readonly state: AsyncState<Payload>
  readonly invocations: ReadonlyArray<AsyncInvocation<Payload>>
  readonly givenUp: ReadonlyArray<GivenUp<Payload>>
  readonly wakeMs?: number
}

export interface AsyncInvocations<Payload> {
  readonly initial: AsyncState<Payload>
  /** What `accepted` takes: `twice`, `dropped`. */
  readonly offers: ReadonlyArray<string>
  accepted(this: void, state: AsyncState<Payload>, event: AsyncEvent<Payload>, at: At): AsyncState<Payload>
  /** Whatever is due. */
  next(this: void, state: AsyncState<Payload>, nowMs: number): AsyncStep<Payload>
  answered(
    this: void,
    state: AsyncState<Payload>,
    id: string,
    outcome: InvocationOutcome,
    nowMs: number,
  ): AsyncStep<Payload>
}

export const asyncInvocations = <Payload>(told: AsyncSettings = {}): AsyncInvocations<Payload> => {
  const settings: Required<AsyncSettings> = {
    maximumRetryAttempts: ASYNC_LAMBDA.retryAttempts,
    maximumEventAgeMs: ASYNC_LAMBDA.eventAgeMs,
    ...told,
  }
  return {
    initial: { pending: [], accepted: 0 },
    offers: offersOf(['twice', 'dropped']),
    accepted,
    next: (state, nowMs) => next(settings, state, nowMs),
    answered: (state, id, outcome, nowMs) => answered(settings, state, { id, outcome }, nowMs),
  }
}

const accepted = <Payload>(
  state: AsyncState<Payload>,
  event: AsyncEvent<Payload>,
  { nowMs, deviation }: At,
): AsyncState<Payload> => {
  const copies = deviation === 'dropped' ? 0 : deviation === 'twice' ? 2 : 1
  const added = Array.from(
    { length: copies },
    (_, at): PendingEvent<Payload> => ({
      id: `event ${state.accepted + at + 1}`,
      event,
      acceptedMs: nowMs,
      dueMs: nowMs,
      running: false,
      failures: 0,
      throttles: 0,
    }),
  )
  return { pending: [...state.pending, ...added], accepted: state.accepted + copies }
}

const next = <Payload>(
  { maximumEventAgeMs }: Required<AsyncSettings>,
  state: AsyncState<Payload>,
  nowMs: number,
): AsyncStep<Payload> => {
  const idle = state.pending.filter(({ running }) => !running)
  const old = idle.filter(({ acceptedMs }) => nowMs - acceptedMs >= maximumEventAgeMs)
  const due = idle.filter((pending) => pending.dueMs <= nowMs && !old.includes(pending))
  const pending = state.pending
    .filter((one) => !old.includes(one))
    .map((one) => (due.includes(one) ? begun(one) : one))
  return {
    state: { ...state, pending },
    invocations: due.map(invocationOf),
    givenUp: old.map(({ event, failures }) => ({ event, reason: 'too old', invocations: failures })),
    ...wakeAt(pending, maximumEventAgeMs, nowMs),
  }
}

const begun = <Payload>(pending: PendingEvent<Payload>): PendingEvent<Payload> => ({
  ...pending,
  running: true,
})

const invocationOf = <Payload>({ id, event, failures }: PendingEvent<Payload>): AsyncInvocation<Payload> => ({
  ...event,
  id,
  attempt: failures + 1,
})

const answered = <Payload>(
  { maximumRetryAttempts, maximumEventAgeMs }: Required<AsyncSettings>,
  state: AsyncState<Payload>,
  { id, outcome }: { readonly id: string; readonly outcome: InvocationOutcome },
  nowMs: number,
): AsyncStep<Payload> => {
  const its = state.pending.find((one) => one.id === id && one.running)
  if (its === undefined) return { state, invocations: [], givenUp: [] }
  const again = retried(its, outcome, nowMs)
  const exhausted = again !== undefined && again.failures > maximumRetryAttempts
  const left = again === undefined || exhausted ? [] : [again]
  const pending = state.pending.flatMap((one) => (one === its ? left : [one]))
  return {
    state: { ...state, pending },
    invocations: [],
    givenUp: exhausted
      ? [{ event: its.event, reason: 'retries exhausted', invocations: again.failures }]
      : [],
    ...wakeAt(pending, maximumEventAgeMs, nowMs),
  }
}

/** The event as it comes again; undefined where it was successful. */
const retried = <Payload>(
  pending: PendingEvent<Payload>,
  outcome: InvocationOutcome,
  nowMs: number,
): PendingEvent<Payload> | undefined => {
  switch (outcome._tag) {
    case 'Returned':
      return undefined
    case 'Failed': {
      const failures = pending.failures + 1
      const dueMs = nowMs + (failures === 1 ? ASYNC_LAMBDA.firstRetryMs : ASYNC_LAMBDA.secondRetryMs)
      return { ...pending, running: false, failures, dueMs }
    }
    case 'Throttled': {
      const { firstBackoffMs, longestBackoffMs } = ASYNC_LAMBDA
      const dueMs = nowMs + Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(30, pending.throttles))
      return { ...pending, running: false, throttles: pending.throttles + 1, dueMs }
    }
  }
}

const wakeAt = <Payload>(
  pending: ReadonlyArray<PendingEvent<Payload>>,
  maximumEventAgeMs: number,
  nowMs: number,
): { readonly wakeMs?: number } => {
  const times = pending
    .filter(({ running }) => !running)
    .map(({ dueMs, acceptedMs }) => Math.max(nowMs, Math.min(dueMs, acceptedMs + maximumEventAgeMs)))
  return times.length === 0 ? {} : { wakeMs: Math.min(...times) }
}
