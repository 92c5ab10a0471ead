/**
 * EventBridge Scheduler as a client of the AWS SDK speaks to it: REST with JSON.
 *
 * Source: AWS SDK, client-scheduler schemas; Smithy, "AWS restJson1 protocol" (2026-11).
 */
import type { At, Stepped } from '../models/model.ts'
import {
  type Definition,
  groupArn,
  type Schedule,
  type SchedulerAnswer,
  type SchedulerError,
  type SchedulerRequest,
  type SchedulerState,
  scheduleArn,
  schedulerModel,
} from '../models/scheduler.ts'
import { answerOf, type HttpAnswer, type HttpRequest, jsonOf } from './http.ts'

export const schedulerWire = {
  wire: (state: SchedulerState, request: HttpRequest, at: At): Stepped<SchedulerState, HttpAnswer> => {
    const asked = requestOf(request)
    if (asked === undefined)
      return {
        state,
        answer: errorOf('ValidationException', `no operation ${request.method} ${request.path}`),
      }
    const stepped = schedulerModel.step(state, asked, at)
    return { state: stepped.state, answer: written(stepped.answer, asked) }
  },
  offers: (state: SchedulerState, request: HttpRequest): ReadonlyArray<string> => {
    const asked = requestOf(request)
    return asked === undefined ? [] : schedulerModel.offers(state, asked)
  },
}

// Reading

const OPERATIONS = {
  'POST schedules': 'CreateSchedule',
  'PUT schedules': 'UpdateSchedule',
  'GET schedules': 'GetSchedule',
  'DELETE schedules': 'DeleteSchedule',
  'POST schedule-groups': 'CreateScheduleGroup',
  'GET schedule-groups': 'GetScheduleGroup',
  'DELETE schedule-groups': 'DeleteScheduleGroup',
} as const

const requestOf = (request: HttpRequest): SchedulerRequest | undefined => {
  const [, kind = '', encoded = ''] = request.path.split('/')
  const asked = `${request.method} ${kind}`
  if (asked === 'GET schedules' && encoded === '') return listOf(request)
  const operation = OPERATIONS[asked as keyof typeof OPERATIONS]
  if (operation === undefined || encoded === '') return undefined
  const name = decodeURIComponent(encoded)
  switch (operation) {
    case 'CreateSchedule':
    case 'UpdateSchedule': {
      const { ClientToken: token, GroupName: group, ...definition } = jsonOf(request)
      return {
        _tag: operation,
        group: textOf(group) ?? 'default',
        name,
        definition: definition as unknown as Definition,
        ...(typeof token === 'string' ? { token } : {}),
      }
    }
    case 'GetSchedule':
    case 'DeleteSchedule':
      return { _tag: operation, group: queried(request, 'groupName') ?? 'default', name }
    default:
      return { _tag: operation, group: name }
  }
}

const listOf = (request: HttpRequest): SchedulerRequest => {
  const group = queried(request, 'ScheduleGroup')
  const prefix = queried(request, 'NamePrefix')
  const schedules = queried(request, 'State') as 'ENABLED' | 'DISABLED' | undefined
  const after = queried(request, 'NextToken')
  const limit = queried(request, 'MaxResults')
  return {
    _tag: 'ListSchedules',
    ...(group === undefined ? {} : { group }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(schedules === undefined ? {} : { schedules }),
    ...(after === undefined ? {} : { after }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const queried = ({ query = {} }: HttpRequest, name: string): string | undefined => textOf(query[name])

// Writing

const CONTENT = { 'content-type': 'application/json' }

const written = (answer: SchedulerAnswer, asked: SchedulerRequest): HttpAnswer =>
  answer._tag === 'Refused'
    ? errorOf(answer.error, answer.message)
    : answerOf(200, contentOf(answer, asked), CONTENT)

const contentOf = (
  answer: Exclude<SchedulerAnswer, { readonly _tag: 'Refused' }>,
  asked: SchedulerRequest,
): unknown => {
  switch (answer._tag) {
    case 'Schedule':
      return asked._tag === 'GetSchedule' ? scheduleJson(answer.schedule) : { ScheduleArn: answer.arn }
    case 'Schedules':
      return { Schedules: answer.schedules.map(summaryJson), NextToken: answer.next }
    case 'Group':
      return asked._tag === 'GetScheduleGroup'
        ? { Arn: answer.arn, Name: answer.name, State: 'ACTIVE', CreationDate: answer.createdMs / 1000 }
        : { ScheduleGroupArn: groupArn(answer.name) }
    case 'Done':
    case 'Fired':
      return {}
  }
}

const namedJson = ({ group, name, definition, createdMs, modifiedMs }: Schedule) => ({
  Arn: scheduleArn(group, name),
  Name: name,
  GroupName: group,
  State: definition.State ?? 'ENABLED',
  CreationDate: createdMs / 1000,
  LastModificationDate: modifiedMs / 1000,
})

const scheduleJson = (schedule: Schedule) => ({
  ScheduleExpressionTimezone: 'UTC',
  ActionAfterCompletion: 'NONE',
  ...schedule.definition,
  ...namedJson(schedule),
})

const summaryJson = (schedule: Schedule) => ({
  ...namedJson(schedule),
  Target: { Arn: schedule.definition.Target?.Arn },
})

const STATUS: Readonly<Record<SchedulerError, number>> = {
  ConflictException: 409,
  ResourceNotFoundException: 404,
  ValidationException: 400,
}

const errorOf = (error: SchedulerError, message: string): HttpAnswer =>
  answerOf(STATUS[error], { Message: message }, { ...CONTENT, 'x-amzn-errortype': error })
