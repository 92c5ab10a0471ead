/**
 * EventBridge Scheduler: schedules that invoke a target once or again and again, each time at least once.
 *
 * Whoever drives the model asks it when something is due (`nextDueMs`), lets that fire, and tells what the target said.
 * Not modelled: time zones, flexible windows beyond the minute of precision, KMS, tags, and quotas.
 */
import { SCHEDULER } from '../limits.ts'
import type { At, Model, Stepped } from './model.ts'
import { dueBy, type Fired, fire, fireOffers, settle } from './scheduler/firing.ts'
import {
  type Definition,
  firstMs,
  flawOf,
  flawOfName,
  groupArn,
  keyOf,
  type Schedule,
  type SchedulerState,
  scheduleArn,
  without,
  withSchedule,
} from './scheduler/schedule.ts'

export type { DeadLetter } from './scheduler/firing.ts'
export { dueBy, nextDueMs } from './scheduler/firing.ts'
export type { Definition, Invocation, Schedule, SchedulerState, Target } from './scheduler/schedule.ts'
export { groupArn, scheduleArn } from './scheduler/schedule.ts'

/** Names a schedule or a group. */
interface Named {
  /** The group's own name where a group is meant; `default` unless told. */
  readonly group: string
}

export type SchedulerRequest =
  | (Named & {
      readonly _tag: 'CreateSchedule' | 'UpdateSchedule'
      readonly name: string
      readonly definition: Definition
      readonly token?: string
    })
  | (Named & { readonly _tag: 'GetSchedule' | 'DeleteSchedule'; readonly name: string })
  | {
      readonly _tag: 'ListSchedules'
      readonly group?: string
      readonly prefix?: string
      readonly schedules?: 'ENABLED' | 'DISABLED'
      readonly limit?: number
      /** Where the last page ended. */
      readonly after?: string
    }
  | (Named & { readonly _tag: 'CreateScheduleGroup' | 'GetScheduleGroup' | 'DeleteScheduleGroup' })
  /** Lets what is due fire: all of it, or one invocation of `dueBy`; what deviates is the first of them. */
  | { readonly _tag: 'Due'; readonly invocation?: string }
  /** What the target said to an invocation that fired. */
  | { readonly _tag: 'Settle'; readonly invocation: string; readonly taken: boolean }

export type SchedulerError = 'ConflictException' | 'ResourceNotFoundException' | 'ValidationException'

export type SchedulerAnswer =
  | { readonly _tag: 'Refused'; readonly error: SchedulerError; readonly message: string }
  | { readonly _tag: 'Schedule'; readonly arn: string; readonly schedule: Schedule }
  | { readonly _tag: 'Schedules'; readonly schedules: ReadonlyArray<Schedule>; readonly next?: string }
  | { readonly _tag: 'Group'; readonly arn: string; readonly name: string; readonly createdMs: number }
  | { readonly _tag: 'Done' }
  | ({ readonly _tag: 'Fired' } & Omit<Fired, 'state'>)

type Step = Stepped<SchedulerState, SchedulerAnswer>

const initial: SchedulerState = { groups: new Map([['default', { createdMs: 0 }]]), schedules: new Map() }

const step = (state: SchedulerState, request: SchedulerRequest, at: At): Step => {
  switch (request._tag) {
    case 'CreateSchedule':
    case 'UpdateSchedule':
      return put(state, request, at.nowMs)
    case 'GetSchedule':
    case 'DeleteSchedule':
      return existing(state, request, (schedule) =>
        request._tag === 'GetSchedule'
          ? { state, answer: scheduleAnswer(schedule) }
          : { state: without(state, schedule), answer: { _tag: 'Done' } },
      )
    case 'ListSchedules':
      return { state, answer: list(state, request) }
    case 'CreateScheduleGroup':
    case 'GetScheduleGroup':
    case 'DeleteScheduleGroup':
      return stepGroup(state, request, at.nowMs)
    case 'Due':
      return due(state, request.invocation, at)
    case 'Settle': {
      const { state: next, ...fired } = settle(state, request.invocation, request.taken, at.nowMs)
      return { state: next, answer: { _tag: 'Fired', ...fired } }
    }
  }
}

const refuse = (state: SchedulerState, error: SchedulerError, message: string): Step => ({
  state,
  answer: { _tag: 'Refused', error, message },
})

const scheduleAnswer = (schedule: Schedule): SchedulerAnswer => ({
  _tag: 'Schedule',
  arn: scheduleArn(schedule.group, schedule.name),
  schedule,
})

const existing = (
  state: SchedulerState,
  { group, name }: { readonly group: string; readonly name: string },
  body: (schedule: Schedule) => Step,
): Step => {
  const found = state.schedules.get(keyOf(group, name))
  return found === undefined
    ? refuse(state, 'ResourceNotFoundException', `Schedule ${name} does not exist.`)
    : body(found)
}

// Schedules

type Put = Extract<SchedulerRequest, { readonly definition: Definition }>

/** The same call again, by its token, is answered as the first was; any other for the same name is a conflict. */
const put = (state: SchedulerState, request: Put, nowMs: number): Step => {
  const { _tag, group, name, definition, token } = request
  const there = state.schedules.get(keyOf(group, name))
  const flaw = flawOfName(name) ?? flawOf(definition)
  if (flaw !== undefined) return refuse(state, 'ValidationException', flaw)
  if (!state.groups.has(group))
    return refuse(state, 'ResourceNotFoundException', `Schedule group ${group} does not exist.`)
  if (_tag === 'UpdateSchedule')
    return existing(state, request, (found) => keep(state, { ...found, definition }, nowMs))
  if (there === undefined) {
    const made = { group, name, definition, createdMs: nowMs, modifiedMs: nowMs, pending: [] }
    return keep(state, token === undefined ? made : { ...made, token }, nowMs)
  }
  return token !== undefined && there.token === token
    ? { state, answer: scheduleAnswer(there) }
    : refuse(state, 'ConflictException', `Schedule ${name} already exists.`)
}

const keep = (state: SchedulerState, schedule: Schedule, nowMs: number): Step => {
  const { nextMs: _, ...rest } = schedule
  const dueMs = firstMs(schedule.definition, nowMs)
  const kept: Schedule = { ...rest, modifiedMs: nowMs, ...(dueMs === undefined ? {} : { nextMs: dueMs }) }
  return { state: withSchedule(state, kept), answer: scheduleAnswer(kept) }
}

const list = (
  state: SchedulerState,
  request: Extract<SchedulerRequest, { readonly _tag: 'ListSchedules' }>,
): SchedulerAnswer => {
  const { after = '', group, limit = SCHEDULER.listed, prefix = '', schedules } = request
  const found = [...state.schedules]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .filter(
      ([key, one]) =>
        key > after &&
        (group === undefined || one.group === group) &&
        one.name.startsWith(prefix) &&
        (schedules === undefined || (one.definition.State ?? 'ENABLED') === schedules),
    )
  const page = found.slice(0, Math.min(limit, SCHEDULER.listed))
  const [last] = page.at(-1) ?? []
  const isWhole = page.length === found.length || last === undefined
  return {
    _tag: 'Schedules',
    schedules: page.map(([, one]) => one),
    ...(isWhole ? {} : { next: last }),
  }
}

// Groups

const stepGroup = (
  state: SchedulerState,
  { _tag, group: name }: { readonly _tag: string; readonly group: string },
  nowMs: number,
): Step => {
  const there = state.groups.get(name)
  const answer = (createdMs: number): SchedulerAnswer => ({
    _tag: 'Group',
    arn: groupArn(name),
    name,
    createdMs,
  })
  if (_tag === 'CreateScheduleGroup') {
    const flaw = flawOfName(name)
    if (flaw !== undefined) return refuse(state, 'ValidationException', flaw)
    if (there !== undefined)
      return refuse(state, 'ConflictException', `Schedule group ${name} already exists.`)
    const groups = new Map(state.groups).set(name, { createdMs: nowMs })
    return { state: { ...state, groups }, answer: answer(nowMs) }
  }
  if (there === undefined)
    return refuse(state, 'ResourceNotFoundException', `Schedule group ${name} does not exist.`)
  if (_tag === 'GetScheduleGroup') return { state, answer: answer(there.createdMs) }
  const left = {
    groups: new Map([...state.groups].filter(([group]) => group !== name)),
    schedules: new Map([...state.schedules].filter(([, { group }]) => group !== name)),
  }
  return { state: left, answer: { _tag: 'Done' } }
}

// Firing

const due = (state: SchedulerState, only: string | undefined, at: At): Step => {
  let fired: Fired = { state, invocations: [], deadLetters: [] }
  let { deviation } = at
  for (;;) {
    const next = dueBy(fired.state, at.nowMs).find(({ id }) => only === undefined || id === only)
    if (next === undefined) break
    const one = fire(fired.state, next, deviation === undefined ? { nowMs: at.nowMs } : { ...at, deviation })
    fired = {
      state: one.state,
      invocations: [...fired.invocations, ...one.invocations],
      deadLetters: [...fired.deadLetters, ...one.deadLetters],
    }
    deviation = undefined
    if (only !== undefined) break
  }
  const { state: next, ...rest } = fired
  return { state: next, answer: { _tag: 'Fired', ...rest } }
}

const offers = (state: SchedulerState, request: SchedulerRequest): ReadonlyArray<string> => {
  if (request._tag !== 'Due' || state.schedules.size === 0) return []
  return fireOffers(state, request.invocation ?? '')
}

export const schedulerModel: Model<SchedulerState, SchedulerRequest, SchedulerAnswer> = {
  initial,
  offers,
  step,
}
