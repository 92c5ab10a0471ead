/**
 * What is due, what is given to its target, and what is tried again.
 *
 * An invocation is over when its target has taken it, or when its retries or its age are used up; a schedule, when none
 * of its invocations is left. The pauses between attempts are not documented: here they double from a second on.
 *
 * Source: EventBridge Scheduler User Guide, "Configuring a schedule's dead-letter queue" and "Deleting a schedule"; API
 * reference, RetryPolicy (2026-11).
 */
import { SCHEDULER } from '../../limits.ts'
import type { At } from '../model.ts'
import {
  type Invocation,
  keyOf,
  nextMs,
  type Pending,
  type Schedule,
  type SchedulerState,
  scheduleArn,
  without,
  withSchedule,
} from './schedule.ts'

/** What is sent to the dead-letter queue of a schedule, where it has one. */
export interface DeadLetter {
  readonly queueArn: string
  readonly input: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface Fired {
  readonly state: SchedulerState
  /** In this order; the same twice where it is given twice. */
  readonly invocations: ReadonlyArray<Invocation>
  readonly deadLetters: ReadonlyArray<DeadLetter>
}

/** What could be given out now, the earliest first; of a schedule whose time came several times, one after the other. */
export const dueBy = (state: SchedulerState, nowMs: number): ReadonlyArray<Invocation> =>
  waiting(state)
    .filter(({ atMs }) => atMs <= nowMs)
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(({ invocation }) => invocation)

/** When the next one is due; undefined while nothing waits. */
export const nextDueMs = (state: SchedulerState): number | undefined => {
  const times = waiting(state).map(({ atMs }) => atMs)
  return times.length === 0 ? undefined : Math.min(...times)
}

const waiting = (state: SchedulerState): ReadonlyArray<Pending> =>
  [...state.schedules.values()].flatMap((schedule) => {
    const { definition, nextMs: dueMs, pending } = schedule
    const kept = pending.filter(({ out }) => !out)
    if (dueMs === undefined || definition.State === 'DISABLED') return kept
    return kept.concat({ invocation: invocationOf(schedule, dueMs), atMs: dueMs, out: false })
  })

const invocationOf = ({ group, name, definition }: Schedule, dueMs: number, attempt = 1): Invocation => {
  const { Arn: targetArn = '', Input: input = '', SqsParameters } = definition.Target ?? {}
  const messageGroupId = SqsParameters?.MessageGroupId
  return {
    id: `${keyOf(group, name)} due ${dueMs} attempt ${attempt}`,
    group,
    name,
    targetArn,
    input,
    ...(messageGroupId === undefined ? {} : { messageGroupId }),
    dueMs,
    attempt,
  }
}

/** Gives one of what is due to its target, or does to it what deviates. */
export const fire = (state: SchedulerState, invocation: Invocation, { nowMs, deviation }: At): Fired => {
  const found = state.schedules.get(keyOf(invocation.group, invocation.name))
  if (found === undefined) return { state, invocations: [], deadLetters: [] }
  const begun = begin(found, invocation)
  const isLate = found !== begun && deviation === LATE
  if (isLate) {
    const atMs = nowMs + SCHEDULER.precisionMs
    return {
      state: withPending(state, begun, { invocation, atMs, out: false }),
      invocations: [],
      deadLetters: [],
    }
  }
  if (deviation === 'target failed')
    return failed(withPending(state, begun, { invocation, atMs: nowMs, out: true }), invocation, nowMs)
  return {
    state: withPending(state, begun, { invocation, atMs: nowMs, out: true }),
    invocations: deviation === 'duplicate' ? [invocation, invocation] : [invocation],
    deadLetters: [],
  }
}

const LATE = 'late by 60s'

/** The schedule with this time of its behind it; itself where the invocation was pending already. */
const begin = (schedule: Schedule, { dueMs, id }: Invocation): Schedule => {
  if (schedule.pending.some(({ invocation }) => invocation.id === id)) return schedule
  const { nextMs: _, ...rest } = schedule
  const followingMs = nextMs(schedule.definition, dueMs)
  return followingMs === undefined ? rest : { ...rest, nextMs: followingMs }
}

const withPending = (state: SchedulerState, schedule: Schedule, changed: Pending): SchedulerState => {
  const others = schedule.pending.filter(({ invocation }) => invocation.id !== changed.invocation.id)
  return withSchedule(state, { ...schedule, pending: [...others, changed] })
}

/** What the deviations of an invocation are; late it can be once. */
export const fireOffers = (state: SchedulerState, id: string): ReadonlyArray<string> => {
  const late = [...state.schedules.values()].some(({ pending }) =>
    pending.some(({ invocation }) => invocation.id === id),
  )
  return [...(late ? [] : [LATE]), 'duplicate', 'target failed']
}

/** What a target's answer makes of the invocation; where it is over, nothing. */
export const settle = (state: SchedulerState, id: string, taken: boolean, nowMs: number): Fired => {
  const found = [...state.schedules.values()]
    .flatMap(({ pending }) => pending)
    .find(({ invocation, out }) => out && invocation.id === id)
  if (found === undefined) return { state, invocations: [], deadLetters: [] }
  return taken ? over(state, found.invocation, []) : failed(state, found.invocation, nowMs)
}

const SHORTEST_MS = 1000
const LONGEST_MS = 10 * 60_000

const failed = (state: SchedulerState, invocation: Invocation, nowMs: number): Fired => {
  const schedule = state.schedules.get(keyOf(invocation.group, invocation.name)) as Schedule
  const { RetryPolicy: policy = {}, DeadLetterConfig } = schedule.definition.Target ?? {}
  const {
    MaximumRetryAttempts: retries = SCHEDULER.retryAttempts,
    MaximumEventAgeInSeconds: ageSeconds = SCHEDULER.longestAgeSeconds,
  } = policy
  const { attempt, dueMs } = invocation
  const atMs = nowMs + Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (attempt - 1))
  const spent = attempt > retries ? 'MaximumRetryAttempts' : 'MaximumEventAgeInSeconds'
  if (attempt > retries || atMs > dueMs + ageSeconds * 1000)
    return over(state, invocation, lettersOf(DeadLetterConfig?.Arn, invocation, spent))
  const again = {
    invocation: { ...invocationOf(schedule, dueMs, attempt + 1), input: invocation.input },
    atMs,
    out: false,
  }
  const others = schedule.pending.filter((one) => one.invocation.id !== invocation.id)
  return {
    state: withSchedule(state, { ...schedule, pending: [...others, again] }),
    invocations: [],
    deadLetters: [],
  }
}

const lettersOf = (
  queueArn: string | undefined,
  { attempt, group, input, name, targetArn }: Invocation,
  spent: string,
): ReadonlyArray<DeadLetter> =>
  queueArn === undefined
    ? []
    : [
        {
          queueArn,
          input,
          attributes: {
            ERROR_CODE: 'TargetFailed',
            EXHAUSTED_RETRY_CONDITION: spent,
            RETRY_ATTEMPTS: String(attempt - 1),
            SCHEDULE_ARN: scheduleArn(group, name),
            TARGET_ARN: targetArn,
          },
        },
      ]

/** Without the invocation, and without its schedule where that was its last and it deletes itself. */
const over = (
  state: SchedulerState,
  { group, id, name }: Invocation,
  deadLetters: ReadonlyArray<DeadLetter>,
): Fired => {
  const schedule = state.schedules.get(keyOf(group, name)) as Schedule
  const pending = schedule.pending.filter(({ invocation }) => invocation.id !== id)
  const isComplete = schedule.nextMs === undefined && pending.length === 0
  const left =
    isComplete && schedule.definition.ActionAfterCompletion === 'DELETE'
      ? without(state, schedule)
      : withSchedule(state, { ...schedule, pending })
  return { state: left, invocations: [], deadLetters }
}
