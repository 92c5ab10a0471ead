/**
 * The oracle's own copy of the log, and what has to hold of it after every commit: S1 to S4, S10 and S11.
 *
 * It folds each stream itself and decides again, on the state before, what each answer was decided on: so it trusts
 * neither the store nor the handler.
 */
import {
  type AnyAggregate,
  type CommandId,
  type Commit,
  E,
  type Position,
  type RecordedEvent,
  recordedEvents,
  type StoredAnswer,
  type StoredEvent,
  type StreamName,
  streamParts,
} from '@everfold/core'
import { evolved, type Fold, foldOf, fromSnapshot, isDecidedOn } from './fold.ts'
import type { Judge } from './judge.ts'
import { isSame } from './same.ts'
import type { Witness } from './witness.ts'

/** A stream as the oracle knows it. */
export interface Book {
  readonly stream: StreamName
  readonly aggregate: AnyAggregate | undefined
  readonly commits: ReadonlyArray<Commit>
  /** Of each commit, its events. */
  readonly events: ReadonlyArray<ReadonlyArray<RecordedEvent<StoredEvent>>>
  readonly state: unknown
}

export interface LogBook {
  readonly log: ReadonlyArray<Commit>
  books(this: void): Iterable<Book>
  book(this: void, stream: StreamName): Book | undefined
  /** Where an id of this stream is on record. */
  answerOf(this: void, stream: StreamName, id: CommandId): Recorded | undefined
  /** A commit was stored; answers its stream, or undefined where something did not hold. */
  committed(this: void, commit: Commit): Book | undefined
}

interface Recorded {
  readonly position: Position
  readonly answer: StoredAnswer
}

interface Writing extends Book {
  readonly commits: Array<Commit>
  readonly events: Array<ReadonlyArray<RecordedEvent<StoredEvent>>>
  readonly answers: Map<CommandId, Recorded>
  /** As each version of the code folds it, the newest first. */
  readonly folds: ReadonlyArray<Fold>
  /** That of the newest version. A field, since the engine keeps a getter of each book for a long while. */
  state: unknown
}

/** What of one version of the code the book is kept by. */
export interface JudgedCode {
  readonly aggregates: ReadonlyMap<string, AnyAggregate>
  readonly witness: Witness
}

/** Kept by the newest version of the code, the last one: it reads what every version has written. */
export const logBook = (codes: ReadonlyArray<JudgedCode>, { broken }: Judge): LogBook => {
  const log: Array<Commit> = []
  const books = new Map<StreamName, Writing>()
  const bookOf = (stream: StreamName): Writing => {
    const known = books.get(stream)
    if (known !== undefined) return known
    const { category } = streamParts(stream)
    const folds = codes.toReversed().flatMap(({ aggregates, witness }) => {
      const aggregate = aggregates.get(category)
      return aggregate === undefined ? [] : [foldOf(aggregate, witness)]
    })
    const book: Writing = {
      stream,
      aggregate: folds[0]?.aggregate,
      commits: [],
      events: [],
      answers: new Map(),
      folds,
      state: folds[0]?.state?.value,
    }
    books.set(stream, book)
    return book
  }
  const committed = (commit: Commit): Book | undefined => {
    log.push(commit)
    const book = bookOf(commit.stream)
    const fault =
      misplaced(book, commit) ?? repeated(book, commit) ?? foreign(commit) ?? misread(book, commit)
    if (fault !== undefined) return broken(fault.invariant, fault.message) as undefined
    return book
  }
  return {
    log,
    books: () => books.values(),
    book: (stream) => books.get(stream),
    answerOf: (stream, id) => books.get(stream)?.answers.get(id),
    committed,
  }
}

interface Fault {
  readonly invariant: string
  readonly message: string
}

const placeOf = ({ stream, number }: Commit): string => `${stream}@${number}`

/** S2: numbers follow each other, and what was written once stays. */
const misplaced = (book: Writing, commit: Commit): Fault | undefined => {
  const { number, version, answers } = commit
  const head = book.commits.length
  const before = book.commits[number - 1]
  if (before !== undefined)
    return {
      invariant: 'S2',
      message: `a stored commit never changes, and ${placeOf(commit)} was written a second time`,
    }
  if (number !== head + 1)
    return {
      invariant: 'S2',
      message: `the numbers of a stream follow each other, and ${placeOf(commit)} was stored after number ${head}`,
    }
  const events = answers.reduce((count, answer) => count + answer.events.length, 0)
  const expected = (book.commits.at(-1)?.version ?? 0) + events
  return version === expected
    ? undefined
    : { invariant: 'S2', message: `${placeOf(commit)} has version ${version}, and is event ${expected}` }
}

/** S3: a command id has one effect. */
const repeated = (book: Writing, commit: Commit): Fault | undefined => {
  const { stream, number: place } = commit
  for (const answer of commit.answers) {
    const earlier = book.answers.get(answer.id)
    if (earlier !== undefined)
      return {
        invariant: 'S3',
        message: `a command id has one effect, and ${answer.id} was answered by ${stream}@${earlier.position.commit} and by ${placeOf(commit)}`,
      }
    book.answers.set(answer.id, { position: { stream, commit: place }, answer })
  }
  return undefined
}

/** Of the stream of an event, by the event's id. */
const tenantOf = (event: string): string | undefined =>
  streamParts(event.slice(0, event.lastIndexOf('@')) as StreamName).tenant

/** S10: what a tenant's command causes stays with the tenant. */
const foreign = (commit: Commit): Fault | undefined => {
  const { tenant } = streamParts(commit.stream)
  const other = commit.answers.find(
    ({ metadata }) =>
      (metadata.tenant !== undefined && metadata.tenant !== tenant) ||
      (metadata.process !== undefined && streamParts(metadata.process).tenant !== tenant) ||
      (metadata.causationId !== undefined && tenantOf(metadata.causationId) !== tenant),
  )
  return other === undefined
    ? undefined
    : {
        invariant: 'S10',
        message: `no tenant reaches another, and ${placeOf(commit)} answers a command of ${other.metadata.tenant ?? other.metadata.process ?? other.metadata.causationId}`,
      }
}

/** S4 and S11: each answer is what its command comes to on the state before it, and a snapshot is the state after. */
const misread = (book: Writing, commit: Commit): Fault | undefined => {
  const { folds } = book
  const [newest] = folds
  book.commits.push(commit)
  if (newest === undefined) return void book.events.push([])
  const read = folds.map(({ aggregate }) => recordedEvents(aggregate, commit))
  const [events] = read
  if (events === undefined || E.isLeft(events)) {
    book.events.push([])
    return { invariant: 'S2', message: `what is stored decodes, and ${placeOf(commit)} does not` }
  }
  book.events.push(events.right)
  let at = 0
  for (const answer of commit.answers) {
    if (!isDecidedOn(folds, answer))
      return {
        invariant: 'S4',
        message: `a decision is made on the state it is committed on, and what ${placeOf(commit)} answers to ${answer.id} follows from another`,
      }
    const to = at + answer.events.length
    for (const [place, fold] of folds.entries()) evolved(fold, read[place], at, to)
    book.state = newest.state?.value
    at = to
  }
  for (const fold of folds) if (fold.state === undefined) fold.state = fromSnapshot(fold.aggregate, commit)
  book.state = newest.state?.value
  return unlike(newest.aggregate, book.state, commit)
}

const unlike = (aggregate: AnyAggregate, state: unknown, commit: Commit): Fault | undefined => {
  const { snapshot } = commit
  if (snapshot === undefined || aggregate.snapshot === undefined) return undefined
  if (snapshot.fingerprint !== aggregate.fingerprint) return undefined
  return isSame(snapshot.state, aggregate.snapshot.encode(state))
    ? undefined
    : {
        invariant: 'S11',
        message: `a snapshot is what the log folds to, and the one in ${placeOf(commit)} is not`,
      }
}
