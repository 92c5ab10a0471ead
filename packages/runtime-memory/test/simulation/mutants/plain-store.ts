/**
 * A correct event store as anybody might write it, in few words, whose rules can be broken one by one. Beside core's
 * markers it has some that are written by themselves.
 */
import {
  type AppendFailure,
  type CommandId,
  type Commit,
  E,
  type Fault,
  type StreamName,
  type TE,
} from '@everfold/core'
import { type Kernel, type MemoryEventStore } from '@everfold/runtime-memory'
import { failuresOf } from '../../../src/failing.ts'

export interface PlainStore extends MemoryEventStore {
  /** Writes a marker of its own. */
  mark(this: void, stream: StreamName, id: CommandId): TE.TaskEither<Fault, void>
}

export interface StoreRules {
  /** What is on record when the run begins. */
  readonly history: ReadonlyArray<Commit>
  /** Whether the condition of an append fails. */
  isTaken(this: void, commit: Commit, history: ReadonlyArray<Commit>): boolean
  /** The commit as it is stored. */
  placed(this: void, commit: Commit, history: ReadonlyArray<Commit>): Commit
}

const CORRECT: StoreRules = {
  history: [],
  isTaken: ({ number }, history) => history.some((one) => one.number === number),
  placed: (commit) => commit,
}

const { reading, writing } = failuresOf('the event store')

export const plainStore = (kernel: Kernel, broken: Partial<StoreRules> = {}): PlainStore => {
  const rules = { ...CORRECT, ...broken }
  const perform = kernel.port('event-store')
  const log: Array<Commit> = [...rules.history]
  const listeners: Array<() => void> = []
  const marks = new Set<string>()
  const of = (stream: StreamName) => log.filter((commit) => commit.stream === stream)
  const insert = (commit: Commit): E.Either<AppendFailure, void> => {
    const history = of(commit.stream)
    if (rules.isTaken(commit, history)) return E.left({ _tag: 'Conflict', stream: commit.stream })
    log.push(rules.placed(commit, history))
    for (const listener of listeners) listener()
    return E.right(undefined)
  }
  return {
    readBackward:
      (stream, { before = Number.POSITIVE_INFINITY, limit }) =>
      () =>
        perform(
          'readBackward',
          `${stream}<${before}`,
          () => {
            const found = of(stream)
              .filter(({ number }) => number < before)
              .toReversed()
            return E.right({ commits: found.slice(0, limit), done: found.length <= limit })
          },
          reading,
        ),
    readForward:
      (stream, { after, limit }) =>
      () =>
        perform(
          'readForward',
          `${stream}>${after}`,
          () => {
            const found = of(stream).filter(({ number }) => number > after)
            return E.right({ commits: found.slice(0, limit), done: found.length <= limit })
          },
          reading,
        ),
    append: (commit) => () =>
      perform('append', `${commit.stream}@${commit.number}`, () => insert(commit), {
        unanswered: () => E.left({ _tag: 'OutcomeUnknown' }),
      }),
    scan:
      ({ segment }) =>
      () =>
        perform(
          'scan',
          String(segment),
          () => E.right({ commits: segment === 0 ? log : [], unreadable: [] }),
          reading,
        ),
    marker: (stream, id) => () =>
      perform(
        'marker',
        `${stream} ${id}`,
        () => E.right(marks.has(`${stream} ${id}`) ? 1 : undefined),
        reading,
      ),
    mark: (stream, id) => () =>
      perform('mark', `${stream} ${id}`, () => E.right(void marks.add(`${stream} ${id}`)), writing),
    appendTogether: () => {
      throw new Error('no function of a deployment appends to several streams together')
    },
    log,
    subscribe: (listener) => {
      listeners.push(listener)
      return () => void listeners.splice(listeners.indexOf(listener), 1)
    },
  }
}
