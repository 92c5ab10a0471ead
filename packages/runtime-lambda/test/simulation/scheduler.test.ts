/** Core's timers on the simulated EventBridge Scheduler, through the real client of the AWS SDK. */
import {
  ConflictException,
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  ResourceNotFoundException,
  SchedulerClient,
  UpdateScheduleCommand,
  ValidationException,
} from '@aws-sdk/client-scheduler'
import type { Timer } from '@everfold/core'
import { type Firing, type TimerServiceHarness, timerServiceSuite } from '@everfold/core/conformance'
import { describe, expect, test } from 'vitest'
import {
  dueBy,
  type Invocation,
  nextDueMs,
  type SchedulerRequest,
  schedulerModel,
} from '../../../runtime-memory/src/simulation/models/scheduler.ts'
import { schedulerWire } from '../../../runtime-memory/src/simulation/sdk/scheduler.ts'
import { schedulerTimers } from '../../src/timers.ts'
import { instantClock } from '../instant-clock.ts'

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:commands.fifo'
const ROLE = 'arn:aws:iam::000000000000:role/timers'

/** A service with a clock of its own. */
const simulated = () => {
  const clock = instantClock()
  let state = schedulerModel.initial
  const handle = async (request: Parameters<typeof schedulerWire.wire>[1]) => {
    const { state: next, answer } = schedulerWire.wire(state, request, { nowMs: clock.nowMs() })
    state = next
    return { response: answer }
  }
  const client = new SchedulerClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: { handle } as never,
  })
  /** Lets everything fire that is due until then, each at its own time, and deviate so the first time that it can. */
  const advance = async (ms: number, take: (invocation: Invocation) => void, deviation = '') => {
    const untilMs = clock.nowMs() + ms
    const step = (request: SchedulerRequest, at: object = {}): ReadonlyArray<Invocation> => {
      const { state: next, answer } = schedulerModel.step(state, request, { nowMs: clock.nowMs(), ...at })
      state = next
      return answer._tag === 'Fired' ? answer.invocations : []
    }
    for (let dueMs = nextDueMs(state); dueMs !== undefined && dueMs <= untilMs; dueMs = nextDueMs(state)) {
      await clock.sleep(Math.max(0, dueMs - clock.nowMs()))
      for (const { id, attempt } of dueBy(state, clock.nowMs())) {
        const request = { _tag: 'Due', invocation: id } as const
        const deviates = attempt === 1 && schedulerModel.offers(state, request).includes(deviation)
        for (const invocation of step(request, deviates ? { deviation } : {})) {
          take(invocation)
          step({ _tag: 'Settle', invocation: id, taken: true })
        }
      }
    }
    await clock.sleep(untilMs - clock.nowMs())
  }
  return { client, clock, advance }
}

const harness = (deviation?: string) => async (): Promise<TimerServiceHarness> => {
  const { advance, client, clock } = simulated()
  const fired: Array<Firing> = []
  await client.send(new CreateScheduleGroupCommand({ Name: 'timers' }))
  const timers = schedulerTimers({
    client,
    clock,
    group: 'timers',
    targetArn: QUEUE,
    roleArn: ROLE,
    message: (timer) => ({ id: 'timer', group: 'timers', body: { ...timer } }),
  })
  const take = ({ input }: Invocation) => {
    const { body } = JSON.parse(input) as { readonly body: Timer }
    fired.push({ timer: body, atMs: clock.nowMs() })
  }
  return { timers, nowMs: clock.nowMs, fired: () => fired, advance: (ms) => advance(ms, take, deviation) }
}

describe.each([undefined, 'late by 60s', 'duplicate', 'target failed'])(
  'the simulated Scheduler (%s)',
  (deviation) => {
    for (const { title, run } of timerServiceSuite(harness(deviation)))
      test(`conforms: ${title}`, async () => {
        await expect(run()).resolves.toBeUndefined()
      })
  },
)

const input = (Name: string, more: Partial<CreateScheduleCommandInput> = {}): CreateScheduleCommandInput => ({
  Name,
  ScheduleExpression: 'at(2026-06-01T12:00:00)',
  FlexibleTimeWindow: { Mode: 'OFF' },
  Target: { Arn: QUEUE, RoleArn: ROLE, Input: '{}' },
  ...more,
})

describe('the client of the AWS SDK', () => {
  test('gets back the schedule that it made, changed and listed, until it deletes it', async () => {
    const { client, clock } = simulated()
    const { ScheduleArn: arn } = await client.send(
      new CreateScheduleCommand(input('one', { Description: 'first' })),
    )
    await client.send(new CreateScheduleCommand(input('two')))
    const made = await client.send(new GetScheduleCommand({ Name: 'one' }))
    expect(made).toMatchObject({ ...input('one'), Arn: arn, Description: 'first', State: 'ENABLED' })
    expect(made.CreationDate).toEqual(new Date(clock.nowMs()))
    await client.send(new UpdateScheduleCommand(input('one', { ScheduleExpression: 'rate(5 minutes)' })))
    const changed = await client.send(new GetScheduleCommand({ Name: 'one' }))
    expect(changed).toMatchObject({ ScheduleExpression: 'rate(5 minutes)' })
    expect(changed.Description).toBeUndefined()
    const page = await client.send(new ListSchedulesCommand({ MaxResults: 1 }))
    const { Schedules: rest, NextToken: end } = await client.send(
      new ListSchedulesCommand({ NextToken: page.NextToken }),
    )
    expect([...(page.Schedules ?? []), ...(rest ?? [])].map(({ Name }) => Name)).toEqual(['one', 'two'])
    expect(end).toBeUndefined()
    await client.send(new DeleteScheduleCommand({ Name: 'one' }))
    const { Schedules: left } = await client.send(new ListSchedulesCommand({ NamePrefix: 'o' }))
    expect(left).toEqual([])
  })

  test('gets its own exceptions', async () => {
    const { client } = simulated()
    await client.send(new CreateScheduleCommand(input('one')))
    await expect(client.send(new CreateScheduleCommand(input('one')))).rejects.toBeInstanceOf(
      ConflictException,
    )
    await expect(client.send(new DeleteScheduleCommand({ Name: 'two' }))).rejects.toBeInstanceOf(
      ResourceNotFoundException,
    )
    await expect(
      client.send(new GetScheduleCommand({ Name: 'one', GroupName: 'none' })),
    ).rejects.toBeInstanceOf(ResourceNotFoundException)
    const wrong = { ScheduleExpression: 'at(2026-02-30T12:00:00)' }
    await expect(client.send(new CreateScheduleCommand(input('two', wrong)))).rejects.toBeInstanceOf(
      ValidationException,
    )
  })

  test('may send the same call again by its token, and no other for that name', async () => {
    const { client } = simulated()
    const first = await client.send(new CreateScheduleCommand(input('one', { ClientToken: 'token' })))
    const again = await client.send(new CreateScheduleCommand(input('one', { ClientToken: 'token' })))
    expect(again.ScheduleArn).toBe(first.ScheduleArn)
    await expect(
      client.send(new CreateScheduleCommand(input('one', { ClientToken: 'other' }))),
    ).rejects.toThrow('exists')
  })
})
