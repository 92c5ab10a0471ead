/**
 * A correct command handler as anybody might write it: reads the stream, looks for the id in it, decides, appends on the
 * condition that nobody was faster, and begins anew where somebody was. Its steps can be broken one by one.
 */
import {
  type AnyAggregate,
  type AppendFailure,
  type Commit,
  dateOf,
  decode,
  dispatchOf,
  E,
  type Envelope,
  encodeEvent,
  type Fault,
  recordedEvents,
  type Settled,
  type StoredAnswer,
  type StoredEvent,
  type StreamName,
  streamParts,
} from '@everfold/core'
import { type Answer, envelopeOf } from '../../../src/simulation/deployment/client.ts'
import type { FunctionPorts, Functions } from '../../../src/simulation/deployment/functions.ts'
import type { Request } from '../../../src/simulation/run.ts'

/** The command that is handled, and what the stream held before. */
export interface Handling {
  readonly ports: FunctionPorts
  readonly aggregate: AnyAggregate
  readonly stream: StreamName
  readonly envelope: Envelope<unknown>
  readonly commits: ReadonlyArray<Commit>
}

type Done = Promise<E.Either<Fault, void>>

export interface Steps {
  /** All commits of a stream. */
  read(this: void, ports: FunctionPorts, stream: StreamName): Promise<E.Either<Fault, ReadonlyArray<Commit>>>
  /** Whether the command is done already, of which this answer tells. */
  isDone(this: void, handling: Handling, found: Found | undefined): Promise<E.Either<Fault, boolean>>
  /** The commits that the decision is made on. */
  decidedOn(this: void, handling: Handling): ReadonlyArray<Commit>
  /** The commit that is appended. */
  written(this: void, commit: Commit, handling: Handling): Commit
  before(this: void, commit: Commit, handling: Handling): Done
  after(this: void, commit: Commit, handling: Handling): Done
  /** What the caller is told where the append's condition failed; undefined to begin anew. */
  outrun(this: void, handling: Handling): Settled<unknown, unknown> | undefined
}

export interface Found {
  readonly commit: Commit
  readonly answer: StoredAnswer
}

const NOTHING: E.Either<never, void> = E.right(undefined)

const CORRECT: Steps = {
  read: async ({ store }, stream) => {
    const commits: Array<Commit> = []
    for (;;) {
      const page = await store.readForward(stream, { after: commits.length, limit: 100 })()
      if (E.isLeft(page)) return page
      commits.push(...page.right.commits)
      if (page.right.done) return E.right(commits)
    }
  },
  isDone: async (_handling, found) => E.right(found !== undefined),
  decidedOn: ({ commits }) => commits,
  written: (commit) => commit,
  before: async () => NOTHING,
  after: async () => NOTHING,
  outrun: () => undefined,
}

type Handle = (
  stream: StreamName,
  envelope: Envelope<unknown>,
) => Promise<E.Either<Fault, Settled<unknown, unknown>>>

/** The handler of a sandbox; its steps are made with it, and may keep something. */
const plainHandler = (ports: FunctionPorts, broken: () => Partial<Steps> = () => ({})): Handle => {
  const steps = { ...CORRECT, ...broken() }
  return async (stream, envelope) => {
    const aggregate = ports.aggregates.get(streamParts(stream).category)
    if (aggregate === undefined) throw new Error(`there is no aggregate for ${stream}`)
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (attempt > 0) await ports.clock.sleep(20 * attempt * ports.clock.random())
      const commits = await steps.read(ports, stream)
      if (E.isLeft(commits)) return commits
      const tried = await once(steps, { ports, aggregate, stream, envelope, commits: commits.right })
      if (tried !== undefined) return tried
    }
    return E.left({ _tag: 'Contended', stream, attempts: ATTEMPTS })
  }
}

const ATTEMPTS = 24

/** Undefined where another attempt is needed. */
const once = async (
  steps: Steps,
  handling: Handling,
): Promise<E.Either<Fault, Settled<unknown, unknown>> | undefined> => {
  const { ports, aggregate, envelope, commits } = handling
  const found = foundIn(commits, envelope)
  const done = await steps.isDone(handling, found)
  if (E.isLeft(done)) return done
  if (done.right) return onRecord(handling, found)
  const state = stateAfter(aggregate, steps.decidedOn(handling))
  const context = { timeMs: envelope.timeMs, commandId: envelope.id }
  const outcome = aggregate.decide(envelope.command, state, context)
  const commit = steps.written(commitOf(handling, outcome), handling)
  const before = await steps.before(commit, handling)
  if (E.isLeft(before)) return before
  const appended = await ports.store.append(commit)()
  if (E.isLeft(appended)) return failed(steps, handling, appended.left)
  const after = await steps.after(commit, handling)
  if (E.isLeft(after)) return after
  return answered(handling, commit.number, outcome)
}

const failed = (
  { outrun }: Steps,
  handling: Handling,
  failure: AppendFailure,
): E.Either<Fault, Settled<unknown, unknown>> | undefined => {
  if (failure._tag === 'TooLarge') return E.left(failure)
  const told = failure._tag === 'Conflict' ? outrun(handling) : undefined
  return told === undefined ? undefined : E.right(told)
}

const foundIn = (
  commits: ReadonlyArray<Commit>,
  { id }: Pick<Envelope<unknown>, 'id'>,
): Found | undefined => {
  for (const commit of commits) {
    const answer = commit.answers.find((one) => one.id === id)
    if (answer !== undefined) return { commit, answer }
  }
  return undefined
}

const eventsIn = (aggregate: AnyAggregate, commit: Commit) => {
  const events = recordedEvents(aggregate, commit)
  if (E.isLeft(events)) throw new Error(`${commit.stream}@${commit.number} does not decode`)
  return events.right
}

const stateAfter = (aggregate: AnyAggregate, commits: ReadonlyArray<Commit>): unknown =>
  commits
    .flatMap((commit) => eventsIn(aggregate, commit))
    .reduce((state, { event }) => aggregate.evolve(state, event), aggregate.initial)

const commitOf = (
  { aggregate, stream, envelope, commits }: Handling,
  outcome: E.Either<unknown, ReadonlyArray<StoredEvent>>,
): Commit => {
  const { id, fingerprint, timeMs, metadata } = envelope
  const last = commits.at(-1)
  const events = E.isRight(outcome) ? outcome.right.map((event) => encodeEvent(aggregate, event)) : []
  const rejection = E.isLeft(outcome) ? { rejection: aggregate.rejection.encode(outcome.left) } : {}
  return {
    stream,
    number: (last?.number ?? 0) + 1,
    version: (last?.version ?? 0) + events.length,
    timeMs: Math.max(timeMs, last?.timeMs ?? 0),
    latestIdMs: Math.max(dateOf(id) ?? 0, last?.latestIdMs ?? 0),
    answers: [{ id, fingerprint, timeMs, metadata, events, ...rejection }],
  }
}

const answered = (
  { stream, envelope: { id, timeMs: arrivedMs } }: Handling,
  commit: number,
  outcome: E.Either<unknown, ReadonlyArray<StoredEvent>>,
  timeMs: number = arrivedMs,
): E.Either<never, Settled<unknown, unknown>> =>
  E.right(E.right({ commandId: id, position: { stream, commit }, outcome, timeMs, replayed: false }))

/** The recorded answer; one that is done and is not on record has changed nothing, as far as anybody can tell. */
const onRecord = (
  handling: Handling,
  found: Found | undefined,
): E.Either<Fault, Settled<unknown, unknown>> => {
  const { aggregate, commits } = handling
  if (found === undefined) return answered(handling, commits.length, E.right([]))
  const { commit, answer } = found
  const { timeMs } = answer
  if (answer.rejection !== undefined) {
    const rejection = decode(aggregate.rejection, answer.rejection)
    if (E.isLeft(rejection)) throw new Error(`${commit.stream}@${commit.number} does not decode`)
    return answered(handling, commit.number, E.left(rejection.right), timeMs)
  }
  const events = eventsIn(aggregate, commit).filter(({ commandId }) => commandId === answer.id)
  return answered(handling, commit.number, E.right(events.map(({ event }) => event)), timeMs)
}

/** An API over the plain handler. `named` is the command of a request. */
export const plainApi =
  (broken?: () => Partial<Steps>, named: Named = envelopeOf): Functions['api'] =>
  (ports) => {
    const handle = plainHandler(ports, broken)
    return (request): Promise<Answer> => {
      const aggregate = ports.aggregates.get(request.aggregate)
      if (aggregate === undefined) throw new Error(`there is no aggregate ${request.aggregate}`)
      return handle(request.stream, named(aggregate, request, ports.clock.nowMs(), ports.clock.random))
    }
  }

type Named = (
  aggregate: AnyAggregate,
  request: Request,
  nowMs: number,
  random: () => number,
) => Envelope<unknown>

/** A consumer of commands over the plain handler: one after the other, up to the first that fails. */
export const plainCommands =
  (broken?: () => Partial<Steps>): Functions['commands'] =>
  (ports) => {
    const handle = plainHandler(ports, broken)
    return async (batch) => {
      for (const [at, { id, body }] of batch.entries()) {
        const carried = dispatchOf(ports.aggregates, body)
        if (E.isLeft(carried)) {
          ports.bury(id, 'invalid')
          continue
        }
        const { stream, envelope } = carried.right.dispatch
        if (E.isLeft(await handle(stream, envelope))) return batch.slice(at).map((message) => message.id)
      }
      return []
    }
  }
