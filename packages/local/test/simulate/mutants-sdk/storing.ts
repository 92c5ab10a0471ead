/** Bugs of event stores on DynamoDB: what is put where, on what condition, and what is read. */
import { type Commit, E, type EventStore } from '@everfold/core'
import { dynamoEventStore } from '@everfold/runtime-lambda/event-store'
import type { SimulationOptions, Workload } from '@everfold/runtime-memory/simulation'
import { tab } from '../../../../runtime-memory/test/bar.ts'
import type { Equivalent, Mutant } from '../../../../runtime-memory/test/simulation/mutants/mutant.ts'
import type { LambdaParts } from '../../../src/simulate/on-lambda.ts'
import { barOnLambda } from './bar-on-lambda.ts'
import { isConditionFailed, isNamed, over, type Tamper, withInput } from './tampered.ts'

const storeOver = (tamper: Tamper): Partial<LambdaParts> => ({ eventStore: over(tamper, dynamoEventStore) })

const unconditional: Tamper = (command, send) => {
  const { ConditionExpression: _, ReturnValuesOnConditionCheckFailure: __, ...input } = command.input
  return send(isNamed(command, 'PutCommand') ? withInput(command, input) : command)
}

const stale: Tamper = (command, send) =>
  send(
    isNamed(command, 'QueryCommand')
      ? withInput(command, { ...command.input, ConsistentRead: false })
      : command,
  )

/** The store of all functions with another `append`. */
export const appending = (
  append: (commit: Commit, store: EventStore) => ReturnType<EventStore['append']>,
): Partial<LambdaParts> => ({
  eventStore: (options) => {
    const store = dynamoEventStore(options)
    return { ...store, append: (commit) => append(commit, store) }
  },
})

/** Where the place of a commit is taken, puts the same answers behind whatever there is. */
const renumbered = async (commit: Commit, store: EventStore): Promise<Appended> => {
  const appended = await store.append(commit)()
  if (E.isRight(appended) || appended.left._tag !== 'Conflict') return appended
  const page = await store.readBackward(commit.stream, { limit: 1 })()
  const [newest] = E.isRight(page) ? page.right.commits : []
  if (newest === undefined) return appended
  const { snapshot: _, ...bare } = commit
  const events = commit.answers.reduce((count, answer) => count + answer.events.length, 0)
  return renumbered({ ...bare, number: newest.number + 1, version: newest.version + events }, store)
}

type Appended = Awaited<ReturnType<ReturnType<EventStore['append']>>>

/** Whatever LastEvaluatedKey says. */
const firstPage: Tamper = async (command, send) => {
  const { LastEvaluatedKey: _, ...answer } = await send(command)
  return answer
}

const { snapshot: _ofTab, ...withoutSnapshots } = tab

/** So many orders of one guest that a stream's newest commits are not all of them. */
const crowd: Workload = (random) =>
  Array.from({ length: 8 }, (_, at) => ({
    aggregate: tab,
    id: 't0',
    client: 'client 1',
    command: { _tag: 'Order', drink: 'ale' },
    afterMs: at * 1000 + Math.floor(random() * 1000),
  }))

/** Streams that have neither a snapshot nor room in one page. */
export const longStreams = (parts: Partial<LambdaParts>): SimulationOptions =>
  barOnLambda(parts, { aggregate: withoutSnapshots, workload: crowd, mostSteps: 20_000 })

/** Every commit is put by a transaction, though it is alone. */
const transactional = (tamper: Tamper): Partial<LambdaParts> => ({
  eventStore: (options) => {
    const store = over(tamper, dynamoEventStore)(options)
    return {
      ...store,
      append: (commit) => async () => {
        const appended = await store.appendTogether([commit])()
        if (E.isRight(appended)) return appended
        const { left } = appended
        if (left._tag === 'StreamTwice' || left._tag === 'TooMany' || left._tag === 'Marked')
          throw new Error('one commit has one action')
        return E.left(left)
      },
    }
  },
})

const isCanceled = (error: unknown): boolean =>
  (error as { readonly name?: unknown } | null)?.name === 'TransactionCanceledException'

const anyCancellation: Tamper = async (command, send) => {
  try {
    return await send(command)
  } catch (error) {
    if (isCanceled(error)) return {}
    throw error
  }
}

/** Canceled by what others do at the same time, and told as an error that nobody repeats. */
const final: Tamper = async (command, send) => {
  try {
    return await send(command)
  } catch (error) {
    if (!isCanceled(error)) throw error
    const { CancellationReasons: reasons = [] } = error as {
      readonly CancellationReasons?: ReadonlyArray<Reason>
    }
    if (reasons.some(({ Code: code }) => code === 'ConditionalCheckFailed')) throw error
    throw new Error('the transaction was canceled', { cause: error })
  }
}

interface Reason {
  readonly Code?: string
}

export const storing: ReadonlyArray<Mutant> = [
  {
    name: '1 append without condition (SDK)',
    bug: 'An append puts its item whether or not its place is taken.',
    breaks: ['S1', 'S2'],
    options: barOnLambda(storeOver(unconditional)),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '1b the key of a commit is its version (SDK)',
    bug: 'A commit is put under the version after it, so that numbers have gaps, and unequal sizes do not conflict.',
    breaks: ['S2'],
    options: barOnLambda(
      appending((commit, store) => store.append({ ...commit, number: Math.max(1, commit.version) })),
    ),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '7 a failed condition counts as success (SDK)',
    bug: 'Where the condition of an append fails, the commit is taken to be stored.',
    breaks: ['S1'],
    options: barOnLambda(
      storeOver(async (command, send) => {
        try {
          return await send(command)
        } catch (error) {
          if (isConditionFailed(error)) return {}
          throw error
        }
      }),
    ),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '17 an eventually consistent load, and no check at the append (SDK)',
    bug: 'Streams are read from any replica, and what was decided on that is put behind whatever there is.',
    breaks: ['S1', 'S3', 'S4'],
    options: barOnLambda({
      eventStore: (options) => {
        const store = dynamoEventStore(options)
        const append: EventStore['append'] = (commit) => () => renumbered(commit, store)
        return { ...over(stale, dynamoEventStore)(options), append }
      },
    }),
    budget: 100,
    level: 'sdk',
    behind: { unjudged: ['S1'], breaks: ['S3', 'S4'] },
  },
  {
    name: '21 a cache of a warm sandbox is trusted (SDK)',
    bug: 'A decision on the state that a sandbox kept is put behind whatever there is by then.',
    breaks: ['S4', 'S1', 'S3'],
    options: barOnLambda(appending((commit, store) => () => renumbered(commit, store))),
    budget: 100,
    level: 'sdk',
    behind: { unjudged: ['S1'], breaks: ['S3', 'S4'] },
  },
  {
    name: '22 the rest of a page is ignored (SDK)',
    bug: 'A store takes the first page of a query for all of it, and a long stream cannot be read any more.',
    breaks: ['E0', 'E1', 'E6'],
    options: longStreams(storeOver(firstPage)),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '7b a canceled transaction counts as success (SDK)',
    bug: 'A transaction that was canceled for what others did at the same time is taken to be stored.',
    breaks: ['S1', 'S2'],
    options: barOnLambda(transactional(anyCancellation)),
    budget: 100,
    level: 'sdk',
  },
]

export const harmless: ReadonlyArray<Equivalent> = [
  {
    name: '17b an eventually consistent load (SDK)',
    bug: 'Streams are read from any replica, and what was decided on that is put on the condition that its place is free.',
    options: barOnLambda(storeOver(stale)),
    reason: 'What was read too early has its place taken already, and every answer is put on record.',
  },
  {
    name: '22b the rest of a page is ignored where snapshots are near (SDK)',
    bug: 'A store takes the first page of a query for all of it.',
    options: barOnLambda(storeOver(firstPage)),
    reason:
      'A page has room for what lies behind a snapshot; one that is cut short shows a gap, which is a fault, and is read again.',
  },
  {
    name: 'a canceled transaction is not repeated (SDK)',
    bug: 'A transaction that was in conflict with another is told as one of which nothing is known.',
    options: barOnLambda(transactional(final)),
    reason:
      'The command handler appends the same commit again for as long as it does not know what became of it.',
  },
]
