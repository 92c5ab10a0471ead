/** The stand-in for EventBridge Scheduler, asked through the official client. */
import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  GetScheduleCommand,
  GetScheduleGroupCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler'
import { type Firing, localClient, type SchedulerOptions, startScheduler } from '@everfold/aws-local'
import { describe, expect, onTestFinished, test } from 'vitest'

const DUE = '2026-11-23T10:00:00'
const LATER = 'at(2026-11-23T11:00:00)'
const dueMs = Date.parse(`${DUE}Z`)

const once = (Name: string, more: Partial<CreateScheduleCommandInput> = {}): CreateScheduleCommandInput => ({
  Name,
  ScheduleExpression: `at(${DUE})`,
  FlexibleTimeWindow: { Mode: 'OFF' },
  ActionAfterCompletion: 'DELETE',
  Target: { Arn: 'arn:target', RoleArn: 'arn:role', Input: `input of ${Name}` },
  ...more,
})

const start = async (options: SchedulerOptions = {}) => {
  const fired: Array<Firing> = []
  const scheduler = await startScheduler({ target: (firing) => fired.push(firing), ...options })
  onTestFinished(scheduler.stop)
  const client = new SchedulerClient(localClient(scheduler.endpoint))
  const create = (input: CreateScheduleCommandInput) => client.send(new CreateScheduleCommand(input))
  const names = () => scheduler.schedules().map(({ Name }) => Name)
  return { ...scheduler, fired, client, create, names }
}

describe('a schedule', () => {
  test('is kept as it was given', async () => {
    const { client, create } = await start()
    const { ScheduleArn } = await create(once('a.b-c_1'))
    expect(await client.send(new GetScheduleCommand({ Name: 'a.b-c_1' }))).toMatchObject({
      ...once('a.b-c_1'),
      Arn: ScheduleArn,
      GroupName: 'default',
      State: 'ENABLED',
    })
  })
  test('has a name of its own within its group', async () => {
    const { client, create, names } = await start()
    await create(once('a'))
    await expect(create(once('a'))).rejects.toMatchObject({
      name: 'ConflictException',
      $metadata: { httpStatusCode: 409 },
    })
    await expect(create(once('a', { GroupName: 'g' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await client.send(new CreateScheduleGroupCommand({ Name: 'g' }))
    await create(once('a', { GroupName: 'g' }))
    expect(names()).toEqual(['a', 'a'])
    await client.send(new DeleteScheduleGroupCommand({ Name: 'g' }))
    expect(names()).toEqual(['a'])
    await expect(client.send(new GetScheduleGroupCommand({ Name: 'g' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })
  test('can be replaced and deleted, and one that is not there cannot', async () => {
    const { client, create, fireDue, fired } = await start()
    await create(once('a'))
    await client.send(new UpdateScheduleCommand({ ...once('a'), ScheduleExpression: LATER }))
    expect([await fireDue(dueMs), fired]).toEqual([0, []])
    await client.send(new DeleteScheduleCommand({ Name: 'a' }))
    expect(await fireDue(dueMs + 3_600_000)).toBe(0)
    for (const command of [
      new DeleteScheduleCommand({ Name: 'a' }),
      new GetScheduleCommand({ Name: 'a' }),
    ] as const)
      await expect(client.send(command)).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
        $metadata: { httpStatusCode: 404 },
      })
    await expect(client.send(new UpdateScheduleCommand(once('a')))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })
  test.each<[string, Partial<CreateScheduleCommandInput>]>([
    ['a name of 65 characters', { Name: 'n'.repeat(65) }],
    ['a name with a colon', { Name: 'a:b' }],
    ['another format of time', { ScheduleExpression: `at(${DUE}Z)` }],
    ['no expression that it knows', { ScheduleExpression: 'rate(5 minutes)' }],
    ['a day that is none', { ScheduleExpression: 'at(2026-02-30T10:00:00)' }],
    ['no role', { Target: { Arn: 'arn:target', RoleArn: undefined } }],
    ['a larger input', { Target: { Arn: 'a', RoleArn: 'r', Input: 'é'.repeat(128 * 1024 + 1) } }],
    ['a time zone', { ScheduleExpressionTimezone: 'Europe/Zurich' }],
    ['no window', { FlexibleTimeWindow: undefined }],
  ])('is refused with %s', async (_, more) => {
    const { create, names } = await start()
    await expect(create(once('a', more))).rejects.toMatchObject({ name: 'ValidationException' })
    expect(names()).toEqual([])
  })
  test('of a time that has passed is refused where the service is told its time', async () => {
    const { create } = await start({ nowMs: () => dueMs + 1 })
    await expect(create(once('a'))).rejects.toMatchObject({ name: 'ValidationException' })
  })
})

describe('firing', () => {
  test('comes when it is due, once, with its input', async () => {
    const { create, fireDue, fired, names } = await start()
    await create(once('a'))
    expect([await fireDue(dueMs - 1), fired]).toEqual([0, []])
    expect([await fireDue(dueMs), await fireDue(dueMs)]).toEqual([1, 0])
    expect(fired).toEqual([
      { name: 'a', group: 'default', targetArn: 'arn:target', input: 'input of a', dueMs, attempt: 1 },
    ])
    expect(names()).toEqual([])
  })
  test('leaves a schedule that does not delete itself, whose name stays taken', async () => {
    const { create, fireDue, names } = await start()
    await create(once('a', { ActionAfterCompletion: 'NONE' }))
    expect([await fireDue(dueMs), await fireDue(dueMs)]).toEqual([1, 0])
    expect(names()).toEqual(['a'])
    await expect(create(once('a'))).rejects.toMatchObject({ name: 'ConflictException' })
  })
  test('does not complete a schedule that its own target has replaced', async () => {
    const { client, create, fireDue, schedules } = await start({
      target: () => client.send(new UpdateScheduleCommand({ ...once('a'), ScheduleExpression: LATER })),
    })
    await create(once('a'))
    await fireDue(dueMs)
    expect(schedules().map(({ ScheduleExpression }) => ScheduleExpression)).toEqual([LATER])
  })
  test('goes by time', async () => {
    const { create, fireDue, fired } = await start()
    await create(once('late'))
    await create(once('early', { ScheduleExpression: 'at(2026-11-23T09:00:00)' }))
    await create(once('disabled', { State: 'DISABLED' }))
    await fireDue(dueMs)
    expect(fired.map(({ name }) => name)).toEqual(['early', 'late'])
  })
  test('happens as often as told', async () => {
    const { create, fireDue, fired } = await start({ copies: () => 3 })
    await create(once('a'))
    await fireDue(dueMs)
    expect(fired.map(({ attempt }) => attempt)).toEqual([1, 1, 1])
  })
  test('that fails is tried again, until its attempts are used up', async () => {
    const attempts: Array<number> = []
    const { create, fireDue, dropped, names } = await start({
      target: ({ attempt }) => {
        attempts.push(attempt)
        throw new Error('not now')
      },
    })
    await create(once('a', { Target: { Arn: 'a', RoleArn: 'r', RetryPolicy: { MaximumRetryAttempts: 2 } } }))
    for (let round = 0; round < 5; round += 1) expect(await fireDue(dueMs)).toBe(0)
    expect([attempts, dropped.map(({ name }) => name), names()]).toEqual([[1, 2, 3], ['a'], []])
  })
})

test('faults are retried by the SDK, whose token makes the repeat of a creation the same creation', async () => {
  for (const _tag of ['Throttled', 'RequestLost', 'ResponseLost'] as const) {
    const { create, names, calls } = await start({
      fault: ({ count }) => (count === 1 ? { _tag } : undefined),
    })
    await create(once('a'))
    expect([_tag, names(), calls('CreateSchedule')]).toEqual([_tag, ['a'], 2])
  }
})
