/** Writers who send commands until they are answered, a store that fails them, and what must hold afterwards. */
import {
  type Aggregate,
  type AppendFailure,
  type CommandId,
  decodeEvent,
  aggregate as defineAggregate,
  deriveId,
  E,
  type Envelope,
  type EventStore,
  type Execute,
  envelope,
  type Settled,
  type StreamName,
  streamName,
  type TE,
  unavailable,
} from '@everfold/core'
import type { MemoryEventStore, VirtualKernel } from '@everfold/runtime-memory'
import { expect } from 'vitest'
import * as Seats from './seats.ts'

export type Answered = Settled<Seats.SeatsEvent, Seats.SeatsRejection>
export type ExecuteSeats = Execute<Seats.SeatsCommand, Seats.SeatsEvent, Seats.SeatsRejection>
export type SeatsAggregate = Aggregate<
  Seats.SeatsCommand,
  Seats.Seats,
  Seats.SeatsEvent,
  Seats.SeatsRejection
>

export const START_MS = 1_767_225_600_000
export const stream: StreamName = streamName('seats', 'gala')

/** The seats under another fingerprint: a reader of another code version. */
export const otherVersion: SeatsAggregate = defineAggregate({ ...Seats.aggregate, reducer: 2 })

export const idOf = (name: string, dateMs = START_MS): CommandId => deriveId(dateMs, name)

export const asked = (
  command: unknown,
  name: string,
  more: Partial<Envelope<Seats.SeatsCommand>> = {},
): Envelope<Seats.SeatsCommand> => ({
  ...envelope(command as Seats.SeatsCommand, { id: idOf(name), timeMs: START_MS }),
  ...more,
})

/** The answers of a call that must not fault. */
export const answers = async (call: ReturnType<ExecuteSeats>): Promise<ReadonlyArray<Answered>> => {
  const settled = await call()
  if (E.isLeft(settled)) throw new Error(`a fault: ${JSON.stringify(settled.left)}`)
  return settled.right
}

export const answerTo = async (call: ReturnType<ExecuteSeats>) => {
  const [first] = await answers(call)
  if (first === undefined || E.isLeft(first)) throw new Error(`refused: ${JSON.stringify(first)}`)
  return first.right
}

/** Sends the same commands again and again, as a queue does, until they are answered. */
export const sendUntilAnswered = async (
  run: ExecuteSeats,
  group: ReadonlyArray<Envelope<Seats.SeatsCommand>>,
  sleep: (ms: number) => Promise<void>,
): Promise<ReadonlyArray<Answered>> => {
  for (let delivery = 0; delivery < 1000; delivery += 1) {
    const settled = await run(stream, group)()
    if (E.isRight(settled)) return settled.right
    await sleep(100)
  }
  throw new Error('never answered')
}

/** What may become of an append. */
const FATES = ['done', 'failed before', 'response lost', 'late'] as const

/**
 * The port of a store whose calls fail as those over a network do: before they are applied, after it, or so that
 * they are applied long after the caller was told that nobody knows.
 */
export const unreliable = (
  store: EventStore,
  kernel: VirtualKernel,
  { rate, lateMs }: { readonly rate: number; readonly lateMs: number },
): EventStore => {
  const lot = () => kernel.random()
  const failsNow = () => lot() < rate
  const unknown: E.Either<AppendFailure, never> = E.left({ _tag: 'OutcomeUnknown' })
  const writing = async <Failure>(
    what: string,
    write: TE.TaskEither<Failure, void>,
  ): Promise<E.Either<Failure | AppendFailure, void>> => {
    const fate = failsNow() ? FATES[1 + Math.floor(lot() * 3)] : 'done'
    if (fate === 'failed before') return unknown
    if (fate === 'late') {
      kernel.at(kernel.nowMs() + Math.ceil(lot() * lateMs), `late ${what}`, () => void write())
      return unknown
    }
    const outcome = await write()
    return fate === 'response lost' ? unknown : outcome
  }
  return {
    ...store,
    append: (commit) => () => writing(`${commit.number}`, store.append(commit)),
    appendTogether: (commits, unmoved) => () =>
      writing(commits.map(({ number }) => number).join(), store.appendTogether(commits, unmoved)),
    readBackward: (name, options) => async () =>
      failsNow() ? E.left(unavailable('the store')) : store.readBackward(name, options)(),
    readForward: (name, options) => async () =>
      failsNow() ? E.left(unavailable('the store')) : store.readForward(name, options)(),
  }
}

type Sent = ReadonlyMap<CommandId, Envelope<Seats.SeatsCommand>>

/**
 * Every command has exactly one effect and one answer: it is on record once, what its callers were told is what is on
 * record, and each decision was taken on exactly the prefix that it was recorded on.
 */
export const expectOneEffectAndOneAnswer = (
  store: MemoryEventStore,
  sent: Sent,
  told: ReadonlyArray<Answered>,
): void => {
  const recorded = new Map<CommandId, unknown>()
  let state = Seats.initial
  let version = 0
  for (const [index, commit] of store.log.entries()) {
    expect(commit.number).toBe(index + 1)
    for (const answer of commit.answers) {
      const command = sent.get(answer.id)
      if (command === undefined || recorded.has(answer.id))
        throw new Error(`twice, or never sent: ${answer.id}`)
      const decision = Seats.decide(command.command, state, { timeMs: command.timeMs, commandId: answer.id })
      expect(answer.rejection).toEqual(E.isLeft(decision) ? decision.left : undefined)
      expect(answer.events).toEqual(E.isRight(decision) ? decision.right : [])
      recorded.set(answer.id, decision)
      for (const stored of answer.events) {
        const event = decodeEvent(Seats.aggregate, stored)
        if (E.isRight(event)) state = Seats.evolve(state, event.right)
        version += 1
      }
    }
    expect(commit.version).toBe(version)
  }
  for (const settled of told) {
    if (E.isLeft(settled)) throw new Error(`refused: ${JSON.stringify(settled.left)}`)
    expect(settled.right.outcome).toEqual(recorded.get(settled.right.commandId))
  }
  expect([...recorded.keys()].toSorted()).toEqual([...sent.keys()].toSorted())
}
