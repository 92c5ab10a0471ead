/**
 * Core's timer service on EventBridge Scheduler: a timer is a one-time schedule that sends a message and then is gone.
 *
 * A schedule is due at a whole second, so a due time is rounded up, and fires within the minute that follows. Its name
 * comes from the timer's id: while it waits, scheduling the id again is a conflict, and nothing. Once it has fired or
 * was canceled, a late repeat makes it anew, and it fires again, at once. That is harmless: the message's id and its
 * command's id are derived from the scheduling, so a timer that has elapsed is on record already, and one that was
 * canceled is not waited for any more.
 *
 * The schedule's role may send to the target. A FIFO queue as target needs `ContentBasedDeduplication`.
 */
import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  DeleteScheduleCommand,
  type SchedulerClient,
} from '@aws-sdk/client-scheduler'
import {
  E,
  elapsed,
  type Fault,
  hash,
  type Message,
  messageOf,
  type Timer,
  type TimerPayload,
  type TimerService,
  unavailable,
} from '@everfold/core'
import { isFifo, letterOf, tokenOf } from './letter.ts'
import { SCHEDULER } from './limits.ts'
import { errorName, isTransient, type Patience, patiently } from './patience.ts'

export interface SchedulerTimersOptions extends Patience {
  readonly client: SchedulerClient
  /** The schedule group, which has to be there. */
  readonly group: string
  /** The queue of commands, or whatever else takes its messages. */
  readonly targetArn: string
  readonly roleArn: string
  /** How long, and how often, a message that the target did not take is sent again; Scheduler's own unless told. */
  readonly retry?: { readonly maxAgeSeconds: number; readonly maxAttempts: number }
  /** The queue where a message ends that the target did not take. */
  readonly deadLetterArn?: string
  /** What a timer sends; the command that tells its process unless told. */
  readonly message?: (timer: Timer) => Message
}

const WHAT = 'the scheduler'

export const schedulerTimers = (options: SchedulerTimersOptions): TimerService => ({
  schedule: (timer) => () => schedule(options, timer),
  cancel: (id) => () => cancel(options, id),
})

type Outcome = E.Either<Fault, void>

const elapsedMessage = ({ payload }: Timer): Message => messageOf(elapsed(payload as unknown as TimerPayload))

const schedule = async (options: SchedulerTimersOptions, timer: Timer): Promise<Outcome> => {
  const { client } = options
  const { dueMs } = timer
  if (!Number.isSafeInteger(dueMs) || dueMs < 0 || dueMs > BEYOND_MS)
    return E.left(unavailable(`${WHAT}: a timer due at ${dueMs} ms`))
  const made = messageFor(options, timer)
  if (E.isLeft(made)) return made
  const sent = made.right
  const input = letterOf(sent)
  const sizeBytes = Buffer.byteLength(input)
  if (sizeBytes > SCHEDULER.inputBytes)
    return E.left(
      unavailable(`${WHAT}: a message of ${sizeBytes} bytes, where ${SCHEDULER.inputBytes} are the limit`),
    )
  const created = await patiently(options, () =>
    client.send(new CreateScheduleCommand(scheduleOf(options, timer, sent, input))),
  )
  // The name is taken: this timer waits already.
  if (E.isRight(created) || errorName(created.left) === 'ConflictException') return E.right(undefined)
  return E.left(unavailable(WHAT, created.left))
}

/** A timer is data, and what a process put into it need not be what its message is made of. */
const messageFor = (
  { message = elapsedMessage }: SchedulerTimersOptions,
  timer: Timer,
): E.Either<Fault, Message> => {
  try {
    return E.right(message(timer))
  } catch (broken) {
    return E.left(unavailable(`${WHAT}: the message of the timer ${timer.id}`, broken))
  }
}

/** An expression's year has four digits. */
const BEYOND_MS = Date.UTC(9999, 11, 31, 23, 59, 59)

const scheduleOf = (
  options: SchedulerTimersOptions,
  { id, dueMs }: Timer,
  { group }: Message,
  input: string,
): CreateScheduleCommandInput => {
  const { targetArn, roleArn, retry, deadLetterArn, clock } = options
  return {
    Name: nameOf(id),
    GroupName: options.group,
    ScheduleExpression: atSecond(Math.max(dueMs, clock.nowMs() + SOON_MS)),
    ScheduleExpressionTimezone: 'UTC',
    FlexibleTimeWindow: { Mode: 'OFF' },
    ActionAfterCompletion: 'DELETE',
    Target: {
      Arn: targetArn,
      RoleArn: roleArn,
      Input: input,
      ...(isFifo(targetArn) ? { SqsParameters: { MessageGroupId: tokenOf(group) } } : {}),
      ...(deadLetterArn === undefined ? {} : { DeadLetterConfig: { Arn: deadLetterArn } }),
      ...(retry === undefined
        ? {}
        : {
            RetryPolicy: {
              MaximumEventAgeInSeconds: retry.maxAgeSeconds,
              MaximumRetryAttempts: retry.maxAttempts,
            },
          }),
    },
  }
}

/** A time that has passed may be refused; so what is due fires a little later, wherever the clocks differ. */
const SOON_MS = 5000

/** The first whole second at or after it. */
const atSecond = (dueMs: number): string => {
  const second = new Date(Math.ceil(dueMs / 1000) * 1000)
  return `at(${second.toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)})`
}

const NAME = new RegExp(`^[\\w-]{1,${SCHEDULER.nameLength}}$`)

/** The id as it stands where it can be a name, or else its hash. A name may have dots, but it is a step of a path. */
const nameOf = (id: string): string => (NAME.test(id) ? id : hash(id))

const cancel = async (options: SchedulerTimersOptions, id: string): Promise<Outcome> => {
  const { client, group } = options
  const deleted = await patiently(
    options,
    () => client.send(new DeleteScheduleCommand({ Name: nameOf(id), GroupName: group })),
    // The schedule is being made, or is firing, at this moment.
    (error) => isTransient(error) || errorName(error) === 'ConflictException',
  )
  // It has fired, was canceled before, or was never there.
  if (E.isRight(deleted) || errorName(deleted.left) === 'ResourceNotFoundException') return E.right(undefined)
  return E.left(unavailable(WHAT, deleted.left))
}
