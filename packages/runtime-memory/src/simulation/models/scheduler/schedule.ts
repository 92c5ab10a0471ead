/** Schedules as their model keeps them, and what makes one. */
import { SCHEDULER } from '../../limits.ts'
import { occurrencesOf } from './expression.ts'

/** A schedule as a client gives it, in the names of the service; times are seconds since 1970. */
export interface Definition {
  readonly ScheduleExpression: string
  readonly ScheduleExpressionTimezone?: string
  readonly StartDate?: number
  readonly EndDate?: number
  readonly State?: 'ENABLED' | 'DISABLED'
  readonly Description?: string
  readonly ActionAfterCompletion?: 'NONE' | 'DELETE'
  readonly FlexibleTimeWindow?: { readonly Mode?: string; readonly MaximumWindowInMinutes?: number }
  readonly Target?: Target
}

export interface Target {
  readonly Arn?: string
  readonly RoleArn?: string
  readonly Input?: string
  readonly RetryPolicy?: {
    readonly MaximumRetryAttempts?: number
    readonly MaximumEventAgeInSeconds?: number
  }
  readonly DeadLetterConfig?: { readonly Arn?: string }
  readonly SqsParameters?: { readonly MessageGroupId?: string }
}

/** One call of a schedule's target. */
export interface Invocation {
  /** Of this attempt alone. */
  readonly id: string
  readonly group: string
  readonly name: string
  readonly targetArn: string
  readonly input: string
  /** Where the target is a FIFO queue. */
  readonly messageGroupId?: string
  /** When it was to be, in milliseconds since 1970. */
  readonly dueMs: number
  /** From 1. */
  readonly attempt: number
}

/** An invocation that is not over. */
export interface Pending {
  readonly invocation: Invocation
  /** When it is to be made. */
  readonly atMs: number
  /** Given to the target, which has not answered yet. */
  readonly out: boolean
}

export interface Schedule {
  readonly group: string
  readonly name: string
  readonly definition: Definition
  /** Of the call that made it: the same call again is answered as the first was. */
  readonly token?: string
  readonly createdMs: number
  readonly modifiedMs: number
  /** Its next time; absent where there is none. */
  readonly nextMs?: number
  readonly pending: ReadonlyArray<Pending>
}

export interface SchedulerState {
  readonly groups: ReadonlyMap<string, { readonly createdMs: number }>
  /** By group and name. */
  readonly schedules: ReadonlyMap<string, Schedule>
}

const ACCOUNT = 'arn:aws:scheduler:us-east-1:000000000000'

export const keyOf = (group: string, name: string): string => `${group}/${name}`
export const scheduleArn = (group: string, name: string): string => `${ACCOUNT}:schedule/${group}/${name}`
export const groupArn = (name: string): string => `${ACCOUNT}:schedule-group/${name}`

export const withSchedule = (state: SchedulerState, schedule: Schedule): SchedulerState => ({
  ...state,
  schedules: new Map(state.schedules).set(keyOf(schedule.group, schedule.name), schedule),
})

export const without = (state: SchedulerState, { group, name }: Schedule): SchedulerState => {
  const schedules = new Map(state.schedules)
  schedules.delete(keyOf(group, name))
  return { ...state, schedules }
}

/** When it is due first, from a time on; what begins later or ends before is reckoned in. */
export const firstMs = ({ ScheduleExpression, StartDate, EndDate }: Definition, nowMs: number) => {
  const startMs = StartDate === undefined ? nowMs : Math.max(nowMs, StartDate * 1000)
  return within(ScheduleExpression, EndDate, occurrencesOf(ScheduleExpression)?.first(startMs))
}

export const nextMs = ({ ScheduleExpression, EndDate }: Definition, afterMs: number) =>
  within(ScheduleExpression, EndDate, occurrencesOf(ScheduleExpression)?.next(afterMs))

/** What is due once has no end. */
const within = (expression: string, endDate: number | undefined, dueMs: number | undefined) =>
  dueMs === undefined || (endDate !== undefined && !expression.startsWith('at(') && dueMs > endDate * 1000)
    ? undefined
    : dueMs

const NAME = new RegExp(`^[0-9a-zA-Z-_.]{1,${SCHEDULER.nameLength}}$`)

/** Why a name cannot be one, in the service's words. */
export const flawOfName = (name: string): string | undefined =>
  NAME.test(name)
    ? undefined
    : `Value '${name}' at 'name' failed to satisfy constraint: at most ${SCHEDULER.nameLength} of [0-9a-zA-Z-_.]`

/** Why a schedule cannot be made. */
export const flawOf = (definition: Definition): string | undefined => {
  const { ScheduleExpression: expression, FlexibleTimeWindow: window, Target: target } = definition
  if (occurrencesOf(expression) === undefined) return `Invalid Schedule Expression ${expression}.`
  if ((definition.ScheduleExpressionTimezone ?? 'UTC') !== 'UTC')
    return 'this model knows no time zone but UTC'
  const { Mode: mode, MaximumWindowInMinutes: minutes } = window ?? {}
  if (mode !== 'OFF' && mode !== 'FLEXIBLE') return 'FlexibleTimeWindow must have a Mode.'
  if (mode === 'FLEXIBLE' && !(minutes !== undefined && minutes >= 1 && minutes <= SCHEDULER.windowMinutes))
    return `MaximumWindowInMinutes must be 1 to ${SCHEDULER.windowMinutes}.`
  return target === undefined ? 'Target must not be null.' : flawOfTarget(target)
}

const flawOfTarget = ({ Arn, RoleArn, Input = '', RetryPolicy = {}, DeadLetterConfig }: Target) => {
  const { MaximumRetryAttempts: attempts = 0, MaximumEventAgeInSeconds: age = SCHEDULER.longestAgeSeconds } =
    RetryPolicy
  if ((Arn ?? '') === '' || (RoleArn ?? '') === '') return 'Target must have an Arn and a RoleArn.'
  if (Buffer.byteLength(Input) > SCHEDULER.inputBytes) return 'Target.Input is over the limit.'
  if (!(attempts >= 0 && attempts <= SCHEDULER.retryAttempts))
    return `MaximumRetryAttempts must be 0 to ${SCHEDULER.retryAttempts}.`
  if (!(age >= SCHEDULER.shortestAgeSeconds && age <= SCHEDULER.longestAgeSeconds))
    return `MaximumEventAgeInSeconds must be ${SCHEDULER.shortestAgeSeconds} to ${SCHEDULER.longestAgeSeconds}.`
  return DeadLetterConfig?.Arn?.endsWith('.fifo') === true
    ? 'A FIFO queue cannot be the dead-letter queue of a schedule.'
    : undefined
}
