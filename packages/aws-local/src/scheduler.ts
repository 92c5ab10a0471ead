/**
 * A stand-in for EventBridge Scheduler: schedules that fire once, when `fireDue` says that their time has come.
 *
 * Only `at(...)` in UTC; the precision of the service, a minute, and its flexible windows are not modelled.
 * Source: Amazon EventBridge Scheduler API Reference, CreateSchedule and the other operations (2026-11).
 */
import {
  AwsError,
  type StandIn,
  type StandInCall,
  type StandInOptions,
  type StandInRequest,
  startStandIn,
  unknownOperation,
} from './stand-in.ts'

/** A schedule as a client gave it, with what the service adds. */
export interface Schedule {
  readonly Arn: string
  readonly Name: string
  readonly GroupName: string
  readonly ScheduleExpression: string
  readonly ScheduleExpressionTimezone: string
  readonly State: 'ENABLED' | 'DISABLED'
  readonly ActionAfterCompletion: 'NONE' | 'DELETE'
  readonly FlexibleTimeWindow: { readonly Mode: string }
  readonly Target: {
    readonly Arn: string
    readonly RoleArn: string
    readonly Input?: string
    readonly RetryPolicy?: { readonly MaximumRetryAttempts?: number }
  }
  readonly Description?: string
}

/** One call of a schedule's target. */
export interface Firing {
  readonly name: string
  readonly group: string
  readonly targetArn: string
  readonly input: string
  readonly dueMs: number
  /** From 1. */
  readonly attempt: number
}

export interface SchedulerOptions extends StandInOptions {
  /** The target of every schedule; one that fails is called again by the next `fireDue`. */
  readonly target?: (firing: Firing) => unknown
  /** How often the target is called for one firing; once unless told. */
  readonly copies?: (firing: Firing) => number
  /**
   * The service's time, if it is to refuse an `at` that has passed, as users report of AWS and its documentation does
   * not say; without it such a schedule fires at the next `fireDue`. A client has to live with either.
   */
  readonly nowMs?: () => number
}

export interface LocalScheduler extends StandIn {
  /** The schedules that exist, completed ones included unless they delete themselves. */
  schedules(this: void): ReadonlyArray<Schedule>
  /** What was given up, its attempts used up. */
  readonly dropped: ReadonlyArray<Firing>
  /** Fires what is due by then, the earliest first; resolves with the number of schedules that have completed. */
  fireDue(this: void, nowMs: number): Promise<number>
}

interface Kept {
  readonly schedule: Schedule
  readonly dueMs: number
  /** The client's token of the call that made it: the same call again is answered as the first was. */
  readonly token: string | undefined
  readonly attempts: number
  readonly completed: boolean
}

type Input = Readonly<Record<string, unknown>>

const INPUT_BYTES_MAX = 256 * 1024
const RETRIES_DEFAULT = 185
const ACCOUNT = 'arn:aws:scheduler:us-east-1:000000000000'

export const startScheduler = async (options: SchedulerOptions = {}): Promise<LocalScheduler> => {
  const groups = new Set(['default'])
  const kept = new Map<string, Kept>()
  const dropped: Array<Firing> = []
  const standIn = await startStandIn(
    { name: 'scheduler', throttledStatus: 429, route: routes(operations(groups, kept, options.nowMs)) },
    options,
  )
  return {
    ...standIn,
    dropped,
    schedules: () => [...kept.values()].map(({ schedule }) => schedule),
    fireDue: async (nowMs) => {
      let completed = 0
      for (const [key, one] of dueBy(kept, nowMs)) {
        const tried = await fired(one, options)
        if (kept.get(key) !== one) continue
        const { MaximumRetryAttempts: retries = RETRIES_DEFAULT } = one.schedule.Target.RetryPolicy ?? {}
        if (!tried && one.attempts < retries) {
          kept.set(key, { ...one, attempts: one.attempts + 1 })
          continue
        }
        if (tried) completed += 1
        else dropped.push(firingOf(one))
        if (one.schedule.ActionAfterCompletion === 'DELETE') kept.delete(key)
        else kept.set(key, { ...one, completed: true })
      }
      return completed
    },
  }
}

const dueBy = (kept: ReadonlyMap<string, Kept>, nowMs: number): ReadonlyArray<readonly [string, Kept]> =>
  [...kept]
    .filter(([, one]) => one.schedule.State === 'ENABLED' && !one.completed && one.dueMs <= nowMs)
    .toSorted(([, a], [, b]) => a.dueMs - b.dueMs)

const firingOf = ({ schedule, dueMs, attempts }: Kept): Firing => ({
  name: schedule.Name,
  group: schedule.GroupName,
  targetArn: schedule.Target.Arn,
  input: schedule.Target.Input ?? '',
  dueMs,
  attempt: attempts + 1,
})

const fired = async (one: Kept, { target, copies = () => 1 }: SchedulerOptions): Promise<boolean> => {
  const firing = firingOf(one)
  try {
    for (let copy = 0; copy < copies(firing); copy += 1) await target?.(firing)
    return true
  } catch {
    return false
  }
}

const keyOf = (group: string, name: string): string => `${group}/${name}`

const operations = (groups: Set<string>, kept: Map<string, Kept>, nowMs: (() => number) | undefined) => {
  const existing = (group: string, name: string): Kept => {
    const one = kept.get(keyOf(group, name))
    if (one === undefined) throw notFound(`Schedule ${name} does not exist.`)
    return one
  }
  const keep = (name: string, input: Input) => {
    const one = keptOf(name, input, nowMs)
    if (!groups.has(one.schedule.GroupName))
      throw notFound(`Schedule group ${one.schedule.GroupName} does not exist.`)
    kept.set(keyOf(one.schedule.GroupName, name), one)
    return { ScheduleArn: one.schedule.Arn }
  }
  return {
    CreateSchedule: (name: string, input: Input) => {
      const there = kept.get(keyOf(textOr(input['GroupName'], 'default'), name))
      if (there === undefined) return keep(name, input)
      if (there.token !== undefined && there.token === input['ClientToken'])
        return { ScheduleArn: there.schedule.Arn }
      throw new AwsError('ConflictException', `Schedule ${name} already exists.`, 409)
    },
    UpdateSchedule: (name: string, input: Input) => {
      existing(textOr(input['GroupName'], 'default'), name)
      return keep(name, input)
    },
    GetSchedule: (name: string, _: Input, group: string) => existing(group, name).schedule,
    DeleteSchedule: (name: string, _: Input, group: string) => {
      existing(group, name)
      kept.delete(keyOf(group, name))
    },
    CreateScheduleGroup: (name: string) => {
      demandName(name)
      if (groups.has(name))
        throw new AwsError('ConflictException', `Schedule group ${name} already exists.`, 409)
      groups.add(name)
      return { ScheduleGroupArn: `${ACCOUNT}:schedule-group/${name}` }
    },
    GetScheduleGroup: (name: string) => {
      if (!groups.has(name)) throw notFound(`Schedule group ${name} does not exist.`)
      return { Arn: `${ACCOUNT}:schedule-group/${name}`, Name: name, State: 'ACTIVE' }
    },
    DeleteScheduleGroup: (name: string) => {
      if (!groups.delete(name)) throw notFound(`Schedule group ${name} does not exist.`)
      for (const key of kept.keys()) if (key.startsWith(`${name}/`)) kept.delete(key)
    },
  }
}

type Operations = ReturnType<typeof operations>

const ROUTES: Readonly<Record<string, keyof Operations>> = {
  'POST schedules': 'CreateSchedule',
  'PUT schedules': 'UpdateSchedule',
  'GET schedules': 'GetSchedule',
  'DELETE schedules': 'DeleteSchedule',
  'POST schedule-groups': 'CreateScheduleGroup',
  'GET schedule-groups': 'GetScheduleGroup',
  'DELETE schedule-groups': 'DeleteScheduleGroup',
}

const routes =
  (known: Operations) =>
  ({ method, url, input }: StandInRequest): StandInCall => {
    const [, kind = '', name] = url.pathname.split('/')
    const operation = ROUTES[`${method} ${kind}`]
    if (operation === undefined || name === undefined) throw unknownOperation(`${method} ${url.pathname}`)
    const group = url.searchParams.get('groupName') ?? 'default'
    return { operation, apply: () => known[operation](decodeURIComponent(name), input, group) }
  }

const keptOf = (name: string, input: Input, nowMs: (() => number) | undefined): Kept => {
  const given = input as Partial<Schedule> & { readonly ClientToken?: string }
  demandName(name)
  const { GroupName = 'default', ScheduleExpression = '', Target, FlexibleTimeWindow } = given
  if ((Target?.Arn ?? '') === '' || (Target?.RoleArn ?? '') === '' || Target === undefined)
    throw invalid('Target must have an Arn and a RoleArn.')
  if (Buffer.byteLength(Target.Input ?? '') > INPUT_BYTES_MAX)
    throw invalid('Target.Input is over the limit.')
  if (FlexibleTimeWindow === undefined) throw invalid('FlexibleTimeWindow must not be null.')
  if ((given.ScheduleExpressionTimezone ?? 'UTC') !== 'UTC')
    throw invalid('this stand-in knows no time zone but UTC')
  const dueMs = dueOf(ScheduleExpression)
  if (nowMs !== undefined && dueMs < nowMs()) throw invalid(`${ScheduleExpression} has passed.`)
  const { ClientToken: token, ...rest } = given
  return {
    schedule: {
      ...rest,
      Arn: `${ACCOUNT}:schedule/${GroupName}/${name}`,
      Name: name,
      GroupName,
      ScheduleExpression,
      ScheduleExpressionTimezone: 'UTC',
      State: given.State ?? 'ENABLED',
      ActionAfterCompletion: given.ActionAfterCompletion ?? 'NONE',
      FlexibleTimeWindow,
      Target,
    },
    dueMs,
    token,
    attempts: 0,
    completed: false,
  }
}

const dueOf = (expression: string): number => {
  const [, time = ''] = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(expression) ?? []
  const dueMs = Date.parse(`${time}Z`)
  // A day that its month does not have would be taken for one of the next month.
  if (Number.isNaN(dueMs) || !new Date(dueMs).toISOString().startsWith(time))
    throw invalid(`Invalid Schedule Expression ${expression}.`)
  return dueMs
}

const demandName = (name: string): void => {
  if (!/^[0-9a-zA-Z\-_.]{1,64}$/.test(name))
    throw invalid(`Value '${name}' at 'name' failed to satisfy constraint: at most 64 of [0-9a-zA-Z-_.]`)
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)

const invalid = (message: string): AwsError => new AwsError('ValidationException', message)

const notFound = (message: string): AwsError => new AwsError('ResourceNotFoundException', message, 404)
