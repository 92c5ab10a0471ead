/** Simulated EventBridge Scheduler: schedules that fire when they are due. */
import { offersOf } from '../../../models/offers.ts'
import {
  dueBy,
  nextDueMs,
  type SchedulerRequest,
  type SchedulerState,
  schedulerModel,
} from '../../../models/scheduler.ts'
import { schedulerWire } from '../../../sdk/scheduler.ts'
import { alarm } from '../../alarm.ts'
import type { Stage } from '../../stage.ts'
import { schedulerSubject } from '../subjects.ts'
import type { Give } from '../targets.ts'
import type { Endpoint } from '../transport.ts'
import { atOf, type Service } from './service.ts'

export const schedulerService = (
  stage: Stage,
  initial: SchedulerState,
  give: Give,
): Service<SchedulerState> => {
  const { kernel, choose, tell, lane } = stage
  let state = initial
  let fires = 0
  lane('scheduler', 'scheduler')
  const step = (request: SchedulerRequest, deviation?: string) => {
    const stepped = schedulerModel.step(state, request, atOf(stage, deviation))
    state = stepped.state
    if (stepped.answer._tag !== 'Fired') return []
    for (const { queueArn, input: body, attributes } of stepped.answer.deadLetters)
      give(queueArn, { what: attributes['SCHEDULE_ARN'] ?? '', body, attributes })
    return stepped.answer.invocations
  }
  const fire = (id: string) => {
    fires += 1
    const request = { _tag: 'Due', invocation: id } as const
    const offers = offersOf(schedulerModel.offers(state, request))
    const key = `scheduler: ${id} #${fires}`
    const deviation = choose(key, offers, { port: 'scheduler', operation: 'fires' })
    const told = deviation === undefined ? {} : { deviation }
    tell({ lane: 'scheduler', operation: 'fires', subject: id, key, ...told })
    for (const { targetArn, input, messageGroupId: group } of step(request, deviation)) {
      const gift = { what: id, body: input, ...(group === undefined ? {} : { group }) }
      step({ _tag: 'Settle', invocation: id, taken: give(targetArn, gift) === 'taken' })
    }
  }
  const due = alarm(kernel, 'schedules are due', () => {
    for (const { id } of dueBy(state, kernel.nowMs())) fire(id)
    due(nextDueMs(state))
  })
  const endpoint: Endpoint = {
    name: 'scheduler',
    target: '/schedule',
    subjectOf: schedulerSubject,
    offers: (request) => schedulerWire.offers(state, request),
    step: (request, at) => {
      const stepped = schedulerWire.wire(state, request, at)
      state = stepped.state
      due(nextDueMs(state))
      return stepped.answer
    },
  }
  return { endpoints: [endpoint], state: () => state }
}
