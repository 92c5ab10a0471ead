import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { SCHEDULER } from '../../src/simulation/limits.ts'
import { cronOf, nextOf } from '../../src/simulation/models/scheduler/cron.ts'
import {
  type DeadLetter,
  type Definition,
  dueBy,
  type Invocation,
  nextDueMs,
  type SchedulerAnswer,
  type SchedulerRequest,
  type SchedulerState,
  schedulerModel,
  type Target,
} from '../../src/simulation/models/scheduler.ts'

const START_MS = Date.UTC(2026, 0, 1)
const DEAD = 'arn:aws:sqs:us-east-1:000000000000:dead'
const TARGET = { Arn: 'arn:aws:sqs:us-east-1:000000000000:commands', RoleArn: 'role', Input: '{}' }

const definition = (expression: string, target: Target = {}, more: Partial<Definition> = {}): Definition => ({
  ScheduleExpression: expression,
  FlexibleTimeWindow: { Mode: 'OFF' },
  ActionAfterCompletion: 'DELETE',
  Target: { ...TARGET, ...target },
  ...more,
})

const atMs = (ms: number): string => `at(${new Date(ms).toISOString().slice(0, 19)})`

const fired = (answer: SchedulerAnswer) => {
  if (answer._tag !== 'Fired') throw new Error(answer._tag)
  return answer
}

/** A model that keeps its own state and time. */
const service = () => {
  let state: SchedulerState = schedulerModel.initial
  let nowMs = START_MS
  const ask = (request: SchedulerRequest, deviation?: string): SchedulerAnswer => {
    const at = { nowMs, ...(deviation === undefined ? {} : { deviation }) }
    const stepped = schedulerModel.step(state, request, at)
    state = stepped.state
    return stepped.answer
  }
  return {
    ask,
    names: () => [...state.schedules.values()].map(({ name }) => name),
    create: (name: string, given: Definition, token?: string) =>
      ask({
        _tag: 'CreateSchedule',
        group: 'default',
        name,
        definition: given,
        ...(token === undefined ? {} : { token }),
      }),
    offers: (request: SchedulerRequest) => schedulerModel.offers(state, request),
    due: (deviation?: string) => fired(ask({ _tag: 'Due' }, deviation)),
    settle: ({ id }: Invocation, taken: boolean) => fired(ask({ _tag: 'Settle', invocation: id, taken })),
    wait: (ms: number) => {
      nowMs += ms
    },
    nowMs: () => nowMs,
    /** Moves on to when something is due, up to a time; false where nothing is. */
    next: (untilMs: number): boolean => {
      const dueMs = nextDueMs(state)
      if (dueMs === undefined || dueMs > untilMs) return false
      nowMs = Math.max(nowMs, dueMs)
      return true
    },
    waiting: () => dueBy(state, nowMs),
  }
}

/** What a schedule's target is told until that time, with its answers and what deviates, one after the other. */
const run = (
  scheduler: ReturnType<typeof service>,
  untilMs: number,
  answers: ReadonlyArray<boolean>,
  deviations: ReadonlyArray<string> = [],
) => {
  const came: Array<{ readonly invocation: Invocation; readonly nowMs: number; readonly taken: boolean }> = []
  const dead: Array<DeadLetter> = []
  const coming = [...answers]
  const planned = [...deviations]
  while (scheduler.next(untilMs)) {
    const [{ id } = { id: '' }] = scheduler.waiting()
    const { deadLetters, invocations } = scheduler.due(
      scheduler.offers({ _tag: 'Due', invocation: id }).includes(planned[0] ?? '')
        ? planned.shift()
        : undefined,
    )
    dead.push(...deadLetters)
    for (const invocation of invocations) {
      const taken = coming.shift() ?? true
      came.push({ invocation, nowMs: scheduler.nowMs(), taken })
      dead.push(...scheduler.settle(invocation, taken).deadLetters)
    }
  }
  return { came, dead }
}

const DEVIATIONS = ['late by 60s', 'duplicate', 'target failed']
const someDeviations = fc.array(fc.constantFrom(...DEVIATIONS), { maxLength: 6 })
const someAnswers = fc.array(fc.boolean(), { maxLength: 12 })

const spent = (RetryPolicy: NonNullable<Target['RetryPolicy']>) => {
  const scheduler = service()
  scheduler.create('one', definition(atMs(START_MS), { RetryPolicy, DeadLetterConfig: { Arn: DEAD } }))
  const never = Array.from({ length: 500 }, () => false)
  const { came, dead } = run(scheduler, Number.POSITIVE_INFINITY, never)
  return [came.length, dead.map(({ attributes }) => attributes['EXHAUSTED_RETRY_CONDITION'])]
}

describe('a schedule', () => {
  property.prop([
    fc.integer({ min: -100, max: 86_400 }),
    someAnswers,
    someDeviations,
    fc.nat(6),
    fc.integer({ min: 60, max: 120 }),
  ])(
    'is taken by its target at least once, at its time or after, or ends as a dead letter; then it is gone',
    (inSeconds, answers, deviations, retries, ageSeconds) => {
      const scheduler = service()
      const dueMs = START_MS + inSeconds * 1000
      const target = {
        RetryPolicy: { MaximumRetryAttempts: retries, MaximumEventAgeInSeconds: ageSeconds },
        DeadLetterConfig: { Arn: DEAD },
      }
      scheduler.create('one', definition(atMs(dueMs), target))
      const { came, dead } = run(scheduler, Number.POSITIVE_INFINITY, answers, deviations)
      expect(came.some(({ taken }) => taken) || dead.length === 1).toBe(true)
      expect(dead.length).toBeLessThanOrEqual(1)
      for (const { invocation, nowMs } of came) {
        expect(invocation).toMatchObject({ name: 'one', targetArn: TARGET.Arn, input: '{}', dueMs })
        expect(nowMs).toBeGreaterThanOrEqual(dueMs)
        expect(invocation.attempt).toBeLessThanOrEqual(retries + 1)
        if (invocation.attempt > 1) expect(nowMs).toBeLessThanOrEqual(dueMs + ageSeconds * 1000)
      }
      expect(scheduler.names()).toEqual([])
    },
  )

  property.prop([fc.array(fc.nat(300), { minLength: 1, maxLength: 12 }), someDeviations])(
    'whose target takes all is invoked within two minutes of its time, whatever else is due',
    (seconds, deviations) => {
      const scheduler = service()
      for (const [at, one] of seconds.entries())
        scheduler.create(`s-${at}`, definition(atMs(START_MS + one * 1000)))
      const { came } = run(scheduler, Number.POSITIVE_INFINITY, [], deviations)
      expect(new Set(came.map(({ invocation }) => invocation.name)).size).toBe(seconds.length)
      for (const { invocation, nowMs } of came)
        expect(nowMs - invocation.dueMs).toBeLessThanOrEqual(2 * SCHEDULER.precisionMs)
    },
  )

  property.prop([someAnswers, someDeviations])(
    'that was passed in is not changed, and gives the same again',
    (answers, deviations) => {
      let state: SchedulerState = schedulerModel.initial
      const step = (request: SchedulerRequest, nowMs: number, deviation?: string) => {
        const before = structuredClone(state)
        const at = { nowMs, ...(deviation === undefined ? {} : { deviation }) }
        const stepped = schedulerModel.step(state, request, at)
        expect(state).toEqual(before)
        expect(schedulerModel.step(state, request, at)).toEqual(stepped)
        state = stepped.state
        return stepped.answer
      }
      const given = definition('rate(1 minute)')
      step({ _tag: 'CreateSchedule', group: 'default', name: 'one', definition: given }, START_MS)
      for (let minute = 0; minute < 12; minute += 1) {
        const nowMs = START_MS + minute * 60_000
        const answer = step({ _tag: 'Due' }, nowMs, deviations[minute])
        for (const { id } of answer._tag === 'Fired' ? answer.invocations : [])
          step({ _tag: 'Settle', invocation: id, taken: answers[minute] ?? true }, nowMs)
      }
    },
  )

  test('that is made again is a conflict until its target has taken it, and a new one after that', () => {
    const scheduler = service()
    const due = definition(atMs(START_MS + 1000))
    expect(scheduler.create('one', due, 'a')._tag).toBe('Schedule')
    expect(scheduler.create('one', due, 'a')._tag).toBe('Schedule')
    expect(scheduler.create('one', due, 'b')).toMatchObject({ error: 'ConflictException' })
    scheduler.wait(1000)
    const [invocation] = scheduler.due().invocations
    expect(scheduler.create('one', due, 'b')).toMatchObject({ error: 'ConflictException' })
    if (invocation !== undefined) scheduler.settle(invocation, true)
    expect(scheduler.create('one', due, 'a')._tag).toBe('Schedule')
    expect(scheduler.due().invocations).toHaveLength(1)
  })

  test('stays where it does not delete itself, and fires no more', () => {
    const scheduler = service()
    scheduler.create('one', definition(atMs(START_MS), {}, { ActionAfterCompletion: 'NONE' }))
    expect(run(scheduler, START_MS + 1e9, []).came).toHaveLength(1)
    expect(scheduler.names()).toEqual(['one'])
  })

  test('that is disabled, or was deleted between two attempts, fires no more', () => {
    const scheduler = service()
    scheduler.create('off', definition('rate(1 minute)', {}, { State: 'DISABLED' }))
    scheduler.create('one', definition(atMs(START_MS)))
    const [invocation] = scheduler.due().invocations
    if (invocation !== undefined) scheduler.settle(invocation, false)
    scheduler.ask({ _tag: 'DeleteSchedule', group: 'default', name: 'one' })
    expect(run(scheduler, START_MS + 1e9, []).came).toEqual([])
  })

  test('whose attempts are used up, or its age, is a dead letter that says which', () => {
    expect(spent({ MaximumRetryAttempts: 0 })).toEqual([1, ['MaximumRetryAttempts']])
    expect(spent({ MaximumRetryAttempts: 3 })).toEqual([4, ['MaximumRetryAttempts']])
    // 1 + 2 + 4 + 8 + 16 s are within the minute, 32 s more are not.
    expect(spent({ MaximumEventAgeInSeconds: 60 })).toEqual([6, ['MaximumEventAgeInSeconds']])
  })
})

const whenCome = (deviation: string) => {
  const scheduler = service()
  scheduler.create('one', definition(atMs(START_MS)))
  return run(scheduler, START_MS + 1e9, [], [deviation]).came.map(({ invocation, nowMs }) => [
    nowMs - START_MS,
    invocation.attempt,
  ])
}

describe('a deviation', () => {
  test.each([
    ['late by 60s', [[60_000, 1]]],
    [
      'duplicate',
      [
        [0, 1],
        [0, 1],
      ],
    ],
    ['target failed', [[1000, 2]]],
  ])('%s', (deviation, came) => {
    expect(whenCome(deviation)).toEqual(came)
  })
})

const aField = (from: number, to: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.array(fc.integer({ min: from, max: to }), { minLength: 1, maxLength: 3 }).map((all) => all.join(',')),
    fc
      .tuple(fc.integer({ min: from, max: to }), fc.integer({ min: 1, max: 9 }))
      .map((pair) => pair.join('/')),
  )

describe('a schedule that recurs', () => {
  property.prop([fc.integer({ min: 1, max: 90 }), fc.constantFrom('minute', 'hour', 'day'), someDeviations])(
    'at a rate is invoked from its beginning on, once an interval, until its end',
    (count, unit, deviations) => {
      const scheduler = service()
      const everyMs = count * { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[unit as 'minute']
      const beginMs = START_MS + 90_000
      const endMs = beginMs + 4 * everyMs
      const between = { StartDate: beginMs / 1000, EndDate: endMs / 1000 }
      scheduler.create('one', definition(`rate(${count} ${unit}s)`, {}, between))
      const { came } = run(scheduler, Number.POSITIVE_INFINITY, [], deviations)
      expect([...new Set(came.map(({ invocation }) => invocation.dueMs))].toSorted((a, b) => a - b)).toEqual(
        [0, 1, 2, 3, 4].map((at) => beginMs + at * everyMs),
      )
      expect(scheduler.names()).toEqual([])
    },
  )

  property.prop(
    [aField(0, 59), aField(0, 23), fc.constantFrom('*', '1,15', '3/4'), aField(1, 3), fc.nat(100_000)],
    { numRuns: 30 },
  )(
    'by the calendar is due at the first minute that all of its fields allow',
    (minutes, hours, days, months, at) => {
      const cron = cronOf(`${minutes} ${hours} ${days} ${months} ? *`)
      if (cron === undefined) throw new Error('no cron')
      const fromMs = START_MS + at * 60_000
      const allows = (time: Date) =>
        [time.getUTCMinutes(), time.getUTCHours(), time.getUTCDate(), time.getUTCMonth() + 1].every(
          (value, field) => cron[field]?.has(value) === true,
        )
      const dueMs = nextOf(cron, fromMs) ?? 0
      expect(allows(new Date(dueMs))).toBe(true)
      for (let ms = dueMs - 60_000; ms >= Math.max(fromMs, dueMs - 500 * 60_000); ms -= 60_000)
        expect(allows(new Date(ms))).toBe(false)
    },
  )

  test.each([
    ['15 10 * * ? *', '2026-01-01T10:15:00'],
    ['0 18 ? * MON-FRI *', '2026-01-01T18:00:00'],
    ['0 9 ? * SUN *', '2026-01-04T09:00:00'],
    ['0/10 * ? * 7 *', '2026-01-03T00:00:00'],
    ['30 8 29 FEB ? *', '2028-02-29T08:30:00'],
    ['0 0 1 1 ? 2030', '2030-01-01T00:00:00'],
  ])('by %s is due first at %s', (fields, time) => {
    const scheduler = service()
    scheduler.create('one', definition(`cron(${fields})`))
    scheduler.next(Number.POSITIVE_INFINITY)
    expect(new Date(scheduler.nowMs()).toISOString().slice(0, 19)).toBe(time)
  })
})

describe('what Scheduler refuses', () => {
  test.each([
    ['what is no expression', definition('every day')],
    ['a day that is none', definition('at(2026-02-30T00:00:00)')],
    ['a calendar of two open days', definition('cron(0 0 ? * ? *)')],
    ['a minute that is none', definition('cron(60 0 * * ? *)')],
    ['no role', definition('rate(1 day)', { RoleArn: '' })],
    ['too much input', definition('rate(1 day)', { Input: 'x'.repeat(SCHEDULER.inputBytes + 1) })],
    [
      'a FIFO queue for dead letters',
      definition('rate(1 day)', { DeadLetterConfig: { Arn: `${DEAD}.fifo` } }),
    ],
    ['too many retries', definition('rate(1 day)', { RetryPolicy: { MaximumRetryAttempts: 186 } })],
    ['too short an age', definition('rate(1 day)', { RetryPolicy: { MaximumEventAgeInSeconds: 59 } })],
    ['an endless window', definition('rate(1 day)', {}, { FlexibleTimeWindow: { Mode: 'FLEXIBLE' } })],
  ])('%s', (_, given) => {
    expect(service().create('one', given)).toMatchObject({ error: 'ValidationException' })
  })

  test('a group that does not exist; one that is deleted takes its schedules with it', () => {
    const scheduler = service()
    const put = { group: 'timers', name: 'one', definition: definition('rate(1 day)') }
    expect(scheduler.ask({ _tag: 'CreateSchedule', ...put })).toMatchObject({
      error: 'ResourceNotFoundException',
    })
    scheduler.ask({ _tag: 'CreateScheduleGroup', group: 'timers' })
    expect(scheduler.ask({ _tag: 'CreateScheduleGroup', group: 'timers' })).toMatchObject({
      error: 'ConflictException',
    })
    expect(scheduler.ask({ _tag: 'CreateSchedule', ...put })._tag).toBe('Schedule')
    scheduler.ask({ _tag: 'DeleteScheduleGroup', group: 'timers' })
    expect(scheduler.names()).toEqual([])
  })
})
