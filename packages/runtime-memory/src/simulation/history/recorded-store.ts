/** An event store that keeps the history of whatever goes through it, for `anomaliesOf`. */
import { type AppendFailure, type Commit, E, type EventStore, type Page, type Position } from '@everfold/core'
import type { Append, End, Operation, Placed, Read } from './operation.ts'

export interface Recording {
  /** Who asks. */
  readonly process?: string
  /**
   * What makes a commit unlike every other of its stream: its command ids unless told, so that the same command recorded
   * twice is a duplicate.
   */
  readonly identity?: (commit: Commit) => string
  readonly consistency?: Read['consistency']
}

export const commandIdsOf = ({ answers }: Commit): string => answers.map(({ id }) => id).join('+')

/**
 * Puts each append and each page of a read into `history` as it is asked, as indeterminate, and says there what became of
 * it when it is answered: what never is stays indeterminate. `now` tells the step: it only ever grows, and what is
 * asked after an answer has a greater one than the answer.
 */
export const recordedStore = (
  store: EventStore,
  now: () => number,
  history: Array<Operation>,
  recording: Recording = {},
): EventStore => {
  const { append, read, placed } = recorder(now, history, recording)
  return {
    readForward: (stream, options) => async () => {
      const answered = read(stream)
      const page = await store.readForward(stream, options)()
      answered(pageRead(page, ({ commits, done }) => forward(placed(commits), options.after, done)))
      return page
    },
    readBackward: (stream, options) => async () => {
      const answered = read(stream)
      const page = await store.readBackward(stream, options)()
      const range = ({ commits, done }: Page) => backward(placed(commits).toReversed(), options.before, done)
      answered(pageRead(page, range))
      return page
    },
    append: (commit) => async () => {
      const answered = append([commit])
      const result = await store.append(commit)()
      answered(outcomeOf(result))
      return result
    },
    appendTogether: (commits, unmoved) => async () => {
      const answered = append(commits, unmoved?.map(endOf))
      const result = await store.appendTogether(commits, unmoved)()
      answered(outcomeOf(result))
      return result
    },
    marker: store.marker,
    scan: store.scan,
  }
}

const recorder = (now: () => number, history: Array<Operation>, recording: Recording) => {
  const { process = 'client', identity = commandIdsOf, consistency = 'strong' } = recording
  const placed = (commits: ReadonlyArray<Commit>): ReadonlyArray<Placed> =>
    commits.map((commit) => ({ number: commit.number, value: identity(commit) }))
  const asked = () => ({ process, invokedAt: now(), outcome: 'indeterminate' }) as const
  return {
    placed,
    append: (commits: ReadonlyArray<Commit>, unmoved: ReadonlyArray<End> = []) =>
      takenDown<Append>(now, history, {
        ...asked(),
        kind: 'append',
        writes: commits.map((commit) => ({
          stream: commit.stream,
          number: commit.number,
          value: identity(commit),
        })),
        ...(unmoved.length === 0 ? {} : { unmoved }),
      }),
    read: (stream: string) =>
      takenDown<Read>(now, history, { ...asked(), kind: 'read', stream, from: 1, values: [], consistency }),
  }
}

const endOf = ({ stream, commit }: Position): End => ({ stream, number: commit })

/** Takes the operation down, and answers how to complete it. */
const takenDown = <Kind extends Operation>(now: () => number, history: Array<Operation>, operation: Kind) => {
  const index = history.push(operation) - 1
  return (answer: Partial<Kind>): void => {
    history[index] = { ...operation, ...answer, completedAt: now() }
  }
}

/** Whatever is not surely refused may have landed, or may yet. */
const outcomeOf = (result: E.Either<{ readonly _tag: string }, void>): Pick<Append, 'outcome'> => {
  if (E.isRight(result)) return { outcome: 'ok' }
  return { outcome: REFUSED.has(result.left._tag) ? 'failed' : 'indeterminate' }
}

const REFUSED: ReadonlySet<string> = new Set<AppendFailure['_tag'] | 'TooMany' | 'StreamTwice'>([
  'Conflict',
  'Marked',
  'TooLarge',
  'TooMany',
  'StreamTwice',
])

const pageRead = (page: E.Either<unknown, Page>, range: (page: Page) => Partial<Read>): Partial<Read> =>
  E.isRight(page) ? { outcome: 'ok', ...range(page.right) } : { outcome: 'failed' }

/** A page that is not the last says nothing beyond its own end. */
const forward = (values: ReadonlyArray<Placed>, after: number, done: boolean): Partial<Read> => ({
  from: after + 1,
  values,
  ...(done ? {} : { to: values.at(-1)?.number ?? after }),
})

const backward = (
  values: ReadonlyArray<Placed>,
  before: number | undefined,
  done: boolean,
): Partial<Read> => ({
  from: done ? 1 : (values[0]?.number ?? before ?? 1),
  values,
  ...(before === undefined ? {} : { to: before - 1 }),
})
