/** Bugs of what handles commands: which of them are done already, and what a failed condition means to their senders. */
import { type Commit, deriveId, E, type EventStore, freshId, type StoredAnswer } from '@everfold/core'
import { commandConsumer } from '@everfold/runtime-lambda/commands'
import { dynamoEventStore } from '@everfold/runtime-lambda/event-store'
import { envelopeOf } from '@everfold/runtime-memory/simulation'
import { ORDERED_ONCE } from '../../../../runtime-memory/test/simulation/mutants/bar-simulation.ts'
import type { Equivalent, Mutant } from '../../../../runtime-memory/test/simulation/mutants/mutant.ts'
import type { LambdaParts } from '../../../src/simulate/on-lambda.ts'
import { barOnLambda, distinctBarOnLambda } from './bar-on-lambda.ts'
import { appending } from './storing.ts'
import { isConditionFailed, over, type Tamper } from './tampered.ts'

/** A store whose commits are read otherwise. */
const reading = (store: EventStore, seen: (commit: Commit) => Commit): EventStore => {
  const page = (read: ReturnType<EventStore['readForward']>) => async () => {
    const found = await read()
    return E.isLeft(found) ? found : E.right({ ...found.right, commits: found.right.commits.map(seen) })
  }
  return {
    ...store,
    readBackward: (...asked) => page(store.readBackward(...asked)),
    readForward: (...asked) => page(store.readForward(...asked)),
  }
}

/** The commit under ids that nobody asks for, with no snapshot that remembers others. */
const nameless = (commit: Commit): Commit => {
  const { snapshot: _, ...bare } = commit
  const answers = commit.answers.map(
    (answer): StoredAnswer => ({ ...answer, id: deriveId(commit.timeMs, 'forgotten', answer.id) }),
  )
  return { ...bare, answers }
}

const MINUTE_MS = 60_000

/** Knows the commands of the last minutes, and no others. */
const forgetful =
  (windowMs: number): LambdaParts['commandConsumer'] =>
  (options) => {
    const { cache: _, store, clock } = options.ports
    const seen = (commit: Commit) => (commit.timeMs < clock.nowMs() - windowMs ? nameless(commit) : commit)
    return commandConsumer({ ...options, ports: { clock, store: reading(store, seen) } })
  }

/** Refuses as too large what is stored already. */
const refusingOwn: Tamper = async (command, send) => {
  try {
    return await send(command)
  } catch (error) {
    if (!isConditionFailed(error)) throw error
    const { Item: found } = error as { readonly Item?: { readonly a?: { readonly S?: string } } }
    const { Item: put } = command.input as { readonly Item?: { readonly a?: unknown } }
    if (found?.a?.S === undefined || found.a.S !== put?.a) throw error
    throw Object.assign(new Error('Item size has exceeded'), { name: 'ValidationException' })
  }
}

/** A failed condition tells nothing of what it has met. */
const withoutItem: Tamper = async (command, send) => {
  try {
    return await send(command)
  } catch (error) {
    if (isConditionFailed(error)) delete (error as { Item?: unknown }).Item
    throw error
  }
}

export const handling: ReadonlyArray<Mutant> = [
  {
    name: '2 no command id in the commit (SDK)',
    bug: 'A commit holds an id of its own in place of the command id, so a retry appends twice.',
    breaks: ['S1', 'S3', 'E1', ORDERED_ONCE],
    options: distinctBarOnLambda(
      appending((commit, store) =>
        store.append({
          ...commit,
          answers: commit.answers.map((answer) => ({
            ...answer,
            id: deriveId(commit.timeMs, 'own', answer.id, String(Math.random())),
          })),
        }),
      ),
    ),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '14 a new command id on each retry (SDK)',
    bug: 'Each try of a client becomes a command with an id of its own.',
    breaks: ['S3'],
    options: distinctBarOnLambda({
      envelopeOf: (aggregate, request, nowMs) => ({
        ...envelopeOf(aggregate, request, nowMs),
        id: freshId(nowMs, Math.random),
      }),
    }),
    budget: 100,
    level: 'sdk',
    behind: { unjudged: ['S1', 'S3', 'E0'], breaks: [ORDERED_ONCE] },
  },
  {
    name: "20 SQS's five minutes are trusted (SDK)",
    bug: 'A consumer knows the commands of the last five minutes, and a message that comes again after six is done again.',
    breaks: ['S3'],
    options: barOnLambda({ commandConsumer: forgetful(5 * MINUTE_MS) }),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '20b the ten minutes of a ClientRequestToken are trusted (SDK)',
    bug: 'A consumer relies on a token that DynamoDB knows for ten minutes, and a message can come again after twelve.',
    breaks: ['S3'],
    options: barOnLambda({ commandConsumer: forgetful(10 * MINUTE_MS) }),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '23 the own write is refused (SDK)',
    bug: "Where the SDK's repeat of a put meets the item that was put the first time, the command is refused.",
    breaks: ['S3', 'E4'],
    options: barOnLambda({ eventStore: over(refusingOwn, dynamoEventStore) }),
    budget: 100,
    level: 'sdk',
  },
]

export const harmlessHandling: ReadonlyArray<Equivalent> = [
  {
    name: '23b the own write is a conflict (SDK)',
    bug: "Where the SDK's repeat of a put meets the item that was put the first time, the store says that it was outrun.",
    options: barOnLambda({ eventStore: over(withoutItem, dynamoEventStore) }),
    reason:
      'The command handler reads what it was outrun by, finds the id of its command there, and answers from that.',
  },
]
