/** Bugs of command handlers: which commands are done already, and on what state the others are decided. */
import { type CommandId, type Commit, deriveId, E, freshId } from '@everfold/core'
import { memoryEventStore } from '@everfold/runtime-memory'
import { envelopeOf } from '../../../src/simulation/deployment/client.ts'
import { barWith, distinctBarWith, ORDERED_ONCE } from './bar-simulation.ts'
import type { Mutant } from './mutant.ts'
import { type Found, type Handling, plainApi, plainCommands, type Steps } from './plain-handler.ts'
import { type PlainStore, plainStore } from './plain-store.ts'
import { appending } from './storing.ts'

/** The answers with other ids. */
const renamed = (commit: Commit, idOf: (id: CommandId) => CommandId): Commit => ({
  ...commit,
  answers: commit.answers.map((answer) => ({ ...answer, id: idOf(answer.id) })),
})

const marked = async ({ ports, stream, envelope }: Handling): Promise<E.Either<never, boolean>> => {
  const marker = await ports.store.marker(stream, envelope.id)()
  return E.right(E.isRight(marker) && marker.right !== undefined)
}

const mark = (_commit: Commit, { ports, stream, envelope }: Handling) =>
  (ports.store as PlainStore).mark(stream, envelope.id)()

/** All of a bar's commands, those of clients and those of the queue, by a handler with broken steps. */
const handledBy = (broken: () => Partial<Steps>) => ({
  api: plainApi(broken),
  commands: plainCommands(broken),
})

const MINUTE_MS = 60_000

const isRecent = (found: Found | undefined, nowMs: number, windowMs: number): boolean =>
  found !== undefined && found.commit.timeMs > nowMs - windowMs

/** Appends on top of whatever there is by then. */
const unchecked = (commit: Commit, history: ReadonlyArray<Commit>): Commit => {
  const events = commit.answers.reduce((count, answer) => count + answer.events.length, 0)
  return { ...commit, number: history.length + 1, version: (history.at(-1)?.version ?? 0) + events }
}

/** What a handler keeps from one invocation of its sandbox to the next. */
const trusting = (): Partial<Steps> => {
  const cache = new Map<string, ReadonlyArray<Commit>>()
  return {
    decidedOn: ({ stream, commits }) => cache.get(stream) ?? commits,
    after: async (commit, { stream, commits }) => {
      cache.set(stream, [...(cache.get(stream) ?? commits), commit])
      return E.right(undefined)
    },
  }
}

export const handling: ReadonlyArray<Mutant> = [
  {
    name: '2 no command id in the commit',
    bug: 'A commit holds an id of its own in place of the command id, so a retry appends twice.',
    breaks: ['S1', 'S3'],
    options: distinctBarWith({
      functions: {
        api: plainApi(() => ({
          written: (commit, { ports }) =>
            renamed(commit, (id) => deriveId(commit.timeMs, id, String(ports.clock.random()))),
        })),
      },
    }),
    budget: 100,
    level: 'port',
    behind: { unjudged: ['S1', 'E0'], breaks: ['S3', ORDERED_ONCE] },
  },
  {
    name: '3 the marker is written before the append',
    bug: 'A command counts as done once its marker is written, which is before its commit is.',
    breaks: ['S1'],
    options: barWith({
      store: plainStore,
      functions: handledBy(() => ({ isDone: marked, before: mark })),
    }),
    budget: 200,
    level: 'port',
  },
  {
    name: '4 the marker is written after the append',
    bug: 'A command counts as done once its marker is written, which is after its commit is.',
    breaks: ['S3'],
    options: barWith({
      store: plainStore,
      functions: handledBy(() => ({ isDone: marked, after: mark })),
    }),
    budget: 100,
    level: 'port',
  },
  {
    name: '14 a new command id on each retry',
    bug: 'Each try of a client becomes a command with an id of its own.',
    breaks: ['S3'],
    options: distinctBarWith({
      functions: {
        api: plainApi(undefined, (aggregate, request, nowMs, random) => ({
          ...envelopeOf(aggregate, request, nowMs),
          id: freshId(nowMs, random),
        })),
      },
    }),
    budget: 100,
    level: 'port',
    behind: { unjudged: ['S1', 'S3', 'E0'], breaks: [ORDERED_ONCE] },
  },
  {
    name: '17 a stale read, and no check at the append',
    bug: 'Decisions are made on what a replica shows a second later, and appended on top of whatever there is.',
    breaks: ['S4'],
    options: barWith({
      store: (kernel) => plainStore(kernel, { isTaken: () => false, placed: unchecked }),
      functions: handledBy(() => ({
        decidedOn: ({ ports, commits }) =>
          commits.filter(({ timeMs }) => timeMs <= ports.clock.nowMs() - 1000),
      })),
    }),
    budget: 100,
    level: 'port',
  },
  {
    name: '17b no check at the append',
    bug: 'Decisions are appended on top of whatever there is by then.',
    breaks: ['S4'],
    options: barWith({
      store: (kernel) => plainStore(kernel, { isTaken: () => false, placed: unchecked }),
      functions: handledBy(() => ({})),
    }),
    budget: 2000,
    level: 'port',
  },
  {
    name: '20 deduplication ends before redelivery does',
    bug: 'A consumer takes five minutes for long enough, and a message that comes again after six is done again.',
    breaks: ['S3'],
    options: barWith({
      functions: {
        commands: plainCommands(() => ({
          isDone: async ({ ports }, found) => E.right(isRecent(found, ports.clock.nowMs(), 5 * MINUTE_MS)),
        })),
      },
    }),
    budget: 200,
    level: 'port',
  },
  {
    name: '21 a cache of a warm sandbox is trusted',
    bug: 'A handler decides on the state that its sandbox kept, and appends after the newest commit all the same.',
    breaks: ['S4', 'S3'],
    options: barWith({ functions: handledBy(trusting) }),
    budget: 200,
    level: 'port',
  },
  {
    name: '22b a handler reads one page',
    bug: 'A handler decides on the newest page of a stream, and looks for ids there alone.',
    breaks: ['S3', 'S4'],
    options: barWith({
      store: (kernel) => memoryEventStore(kernel, { pageCommits: 2 }),
      functions: handledBy(() => ({
        read: async ({ store }, stream) => {
          const page = await store.readBackward(stream, { limit: 100 })()
          return E.isLeft(page) ? page : E.right(page.right.commits.toReversed())
        },
      })),
    }),
    budget: 100,
    level: 'port',
  },
  {
    name: '23 the own write is reported as a conflict',
    bug: 'A store repeats an append whose response was lost, and its conflict with itself goes to the caller.',
    breaks: ['S3'],
    options: barWith({
      ...appending((commit, store) => async () => {
        const appended = await store.append(commit)()
        const isUnknown = E.isLeft(appended) && appended.left._tag === 'OutcomeUnknown'
        return isUnknown ? store.append(commit)() : appended
      }),
      functions: {
        api: plainApi(() => ({
          outrun: ({ envelope }) => E.left({ _tag: 'IdReused', commandId: envelope.id }),
        })),
      },
    }),
    budget: 200,
    level: 'port',
  },
]
