import { CreateScheduleGroupCommand, SchedulerClient } from '@aws-sdk/client-scheduler'
import {
  type FaultScript,
  type LocalScheduler,
  localClient,
  type SchedulerOptions,
  startScheduler,
} from '@everfold/aws-local'
import {
  deriveId,
  E,
  elapsed,
  type Message,
  messageOf,
  streamName,
  type Timer,
  type TimerPayload,
  type TimerService,
} from '@everfold/core'
import { type Firing, type TimerServiceHarness, timerServiceSuite } from '@everfold/core/conformance'
import { fc, test as property } from '@fast-check/vitest'
import { afterEach, describe, expect, test } from 'vitest'
import { letterOf } from '../src/letter.ts'
import { type SchedulerTimersOptions, schedulerTimers } from '../src/timers.ts'
import { instantClock } from './instant-clock.ts'

const opened: Array<LocalScheduler> = []

afterEach(async () => {
  for (const one of opened.splice(0)) await one.stop()
})

interface Hall extends TimerServiceHarness {
  readonly scheduler: LocalScheduler
  readonly timers: TimerService
  readonly inputs: ReadonlyArray<string>
}

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:commands.fifo'

/** A timer as its own message, so that what fires tells which it was. */
const bare = (timer: Timer): Message => ({ id: 'timer', group: 'timers', body: { ...timer } })

/** A scheduler with a clock of its own; it refuses what has passed unless told otherwise. */
const hall = async (
  options: Partial<SchedulerTimersOptions> = {},
  scheduling: SchedulerOptions = {},
): Promise<Hall> => {
  const clock = instantClock()
  const fired: Array<Firing> = []
  const inputs: Array<string> = []
  const target: SchedulerOptions['target'] = ({ input }) => {
    inputs.push(input)
    const { body } = JSON.parse(input) as { readonly body: Timer }
    fired.push({ timer: body, atMs: clock.nowMs() })
  }
  const scheduler = await startScheduler({ target, nowMs: clock.nowMs, ...scheduling })
  opened.push(scheduler)
  const client = new SchedulerClient(localClient(scheduler.endpoint))
  await client.send(new CreateScheduleGroupCommand({ Name: 'timers' }))
  const timers = schedulerTimers({
    client,
    clock,
    group: 'timers',
    targetArn: QUEUE,
    roleArn: 'arn:aws:iam::000000000000:role/timers',
    message: bare,
    ...options,
  })
  const advance = async (ms: number) => {
    await clock.sleep(ms)
    await scheduler.fireDue(clock.nowMs())
  }
  return { timers, nowMs: clock.nowMs, fired: () => fired, advance, scheduler, inputs }
}

describe('EventBridge Scheduler is what core asks of a timer service', () => {
  for (const { title, run } of timerServiceSuite(() => hall()))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

const timerAt = (dueMs: number, id = 'timer-1'): Timer => ({ id, dueMs, payload: null })

/** When the only schedule is due. */
const dueOf = ({ scheduler }: Hall): number => {
  const [schedule] = scheduler.schedules()
  return Date.parse(`${/at\((.*)\)/.exec(schedule?.ScheduleExpression ?? '')?.[1]}Z`)
}

describe('a schedule', () => {
  property.prop([fc.integer({ min: -3_600_000, max: 100 * 365 * 24 * 3_600_000 })], { numRuns: 15 })(
    'is due at the first whole second at or after the timer, or where that has passed, in a few seconds',
    async (inMs) => {
      const here = await hall()
      const dueMs = here.nowMs() + inMs
      expect(await here.timers.schedule(timerAt(dueMs))()).toEqual(E.right(undefined))
      expect(dueOf(here)).toBe(Math.ceil(Math.max(dueMs, here.nowMs() + 5000) / 1000) * 1000)
    },
  )

  property.prop(
    [
      fc.oneof(
        fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }),
        fc.constantFrom('.', '..', 'a/b', '%2e'),
      ),
      fc.string({ minLength: 1 }),
    ],
    {
      numRuns: 15,
    },
  )('has a name that comes from the id alone, whatever its characters', async (id, other) => {
    const here = await hall()
    for (const one of [id, id, ...(other === id ? [] : [other])])
      expect(await here.timers.schedule(timerAt(here.nowMs() + 60_000, one))()).toEqual(E.right(undefined))
    expect(here.scheduler.schedules()).toHaveLength(other === id ? 1 : 2)
    expect(await here.timers.cancel(id)()).toEqual(E.right(undefined))
    expect(here.scheduler.schedules()).toHaveLength(other === id ? 0 : 1)
  })

  test('goes to its queue’s group, with the retries and dead letters it was given, and then is gone', async () => {
    const here = await hall({
      retry: { maxAgeSeconds: 3600, maxAttempts: 5 },
      deadLetterArn: `${QUEUE}-dead`,
    })
    await here.timers.schedule(timerAt(here.nowMs() + 60_000))()
    expect(here.scheduler.schedules()).toMatchObject([
      {
        Name: 'timer-1',
        GroupName: 'timers',
        ActionAfterCompletion: 'DELETE',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: {
          Arn: QUEUE,
          SqsParameters: { MessageGroupId: 'timers' },
          RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 5 },
          DeadLetterConfig: { Arn: `${QUEUE}-dead` },
        },
      },
    ])
    await here.advance(120_000)
    expect(here.scheduler.schedules()).toEqual([])
  })

  const payload: TimerPayload = {
    id: deriveId(1_767_225_600_000, 'scheduling'),
    stream: streamName('host', 'tab 1'),
    timer: 'thirst',
    dueMs: 1_767_225_660_000,
    correlationId: 'c',
  }

  test('of a process sends the very message of its elapsed timer; made again after it fired, the same one', async () => {
    const { timers, advance, inputs } = await hall({ message: undefined } as never)
    const timer: Timer = { id: payload.id, dueMs: payload.dueMs, payload: { ...payload } }
    for (let round = 0; round < 2; round += 1) {
      expect(await timers.schedule(timer)()).toEqual(E.right(undefined))
      await advance(200_000)
    }
    const message = letterOf(messageOf(elapsed(payload)))
    expect(inputs).toEqual([message, message])
  })

  test('that Scheduler cannot hold is a fault', async () => {
    const { timers, nowMs } = await hall()
    for (const dueMs of [Date.UTC(10_000, 0), Number.MAX_SAFE_INTEGER, Number.NaN, -1, 1.5])
      expect(await timers.schedule(timerAt(dueMs))()).toMatchObject({ left: { _tag: 'Unavailable' } })
    expect(await timers.schedule(timerAt(Date.UTC(9999, 11, 31, 23, 59, 59)))()).toEqual(E.right(undefined))
    const large = { ...timerAt(nowMs() + 60_000, 'large'), payload: 'x'.repeat(256 * 1024) }
    expect(await timers.schedule(large)()).toMatchObject({
      left: { what: expect.stringContaining('262144') },
    })
  })
})

const once =
  (operation: string, _tag: 'ResponseLost' | 'RequestLost' | 'Throttled'): FaultScript =>
  (call) =>
    call.operation === operation && call.count === 1 ? { _tag } : undefined

test.each([3e14, -1, 1.5, Number.NaN])(
  'a timer of a process whose time no id can hold is a fault, and throws nothing: due at %d',
  async (dueMs) => {
    const { timers, scheduler } = await hall({ message: undefined } as never)
    const own = { id: deriveId(1, 'own'), stream: 'host/tab', timer: 'thirst', dueMs, correlationId: 'c' }
    expect(await timers.schedule({ id: own.id, dueMs, payload: own })()).toMatchObject({
      left: { _tag: 'Unavailable', what: `the scheduler: a timer due at ${dueMs} ms` },
    })
    expect(scheduler.schedules()).toEqual([])
  },
)

test('a timer that no message can be made of is a fault', async () => {
  const { timers, nowMs } = await hall({
    message: () => {
      throw new Error('planted')
    },
  })
  expect(await timers.schedule(timerAt(nowMs() + 60_000))()).toMatchObject({
    left: { _tag: 'Unavailable', cause: { message: 'planted' } },
  })
})

describe('a call that goes wrong', () => {
  test.each(['ResponseLost', 'RequestLost', 'Throttled'] as const)(
    'once (%s) changes nothing',
    async (_tag) => {
      const creating = await hall({}, { fault: once('CreateSchedule', _tag) })
      expect(await creating.timers.schedule(timerAt(creating.nowMs() + 60_000))()).toEqual(E.right(undefined))
      expect(creating.scheduler.schedules()).toHaveLength(1)
      const deleting = await hall({}, { fault: once('DeleteSchedule', _tag) })
      await deleting.timers.schedule(timerAt(deleting.nowMs() + 60_000))()
      expect(await deleting.timers.cancel('timer-1')()).toEqual(E.right(undefined))
      expect(deleting.scheduler.schedules()).toEqual([])
    },
  )

  test('for ever is a fault', async () => {
    const here = await hall({ group: 'missing' })
    expect(await here.timers.schedule(timerAt(here.nowMs() + 60_000))()).toMatchObject({
      left: { _tag: 'Unavailable', what: 'the scheduler' },
    })
  })
})
