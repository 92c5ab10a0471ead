/**
 * The laws of aggregates, to be checked for each: `for (const { title, check } of laws(Stock.aggregate)) test(title, () => check())`.
 *
 * Histories come from commands decided in turn, so that every state is one that can be reached.
 */
import * as fc from 'fast-check'
import { type Aggregate, decodeEvent, encodeEvent } from '../aggregate.ts'
import { type CommandId, deriveId, undatedId } from '../command-id.ts'
import type { StoredEvent } from '../commit.ts'
import { type Context, fold } from '../decider.ts'
import { type Envelope, envelope } from '../envelope.ts'
import { execute } from '../execute.ts'
import type { Fault } from '../fault.ts'
import { E } from '../fp.ts'
import type { ExecuteOptions, HeadCache, Settled } from '../handler.ts'
import { type Head, load } from '../head.ts'
import { type StreamName, streamName } from '../stream-name.ts'
import { arbitrary } from './arbitrary.ts'
import { agree, type Law, type Laws, law, throughJson } from './law.ts'
import { type PlainStore, plainPorts } from './plain-ports.ts'

export interface LawOptions<Command, Event> {
  /** Commands whose ids meet often enough to be interesting; derived from the codec unless given. */
  readonly command?: fc.Arbitrary<Command>
  /** Any event at all, reachable or not; derived from the codec unless given. */
  readonly event?: fc.Arbitrary<Event>
  /** The longest history, in commands: 20 unless told. */
  readonly maxCommands?: number
  /** Events as once stored, of every schema version that was ever in use. */
  readonly stored?: ReadonlyArray<StoredEvent>
}

export const laws = <Command, State, Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<Command, State, Event, Rejection>,
  options: LawOptions<Command, Event> = {},
): Laws => {
  const command = options.command ?? arbitrary(aggregate.command)
  const subject: Subject<Command, State, Event, Rejection> = {
    aggregate,
    command,
    event: options.event ?? arbitrary(aggregate.event),
    history: fc.array(command, { maxLength: options.maxCommands ?? 20 }),
  }
  const { stored = [] } = options
  return [
    total(subject),
    ...(aggregate.snapshot === undefined ? [] : [everyCut(subject)]),
    survives(subject),
    ...(stored.length === 0 ? [] : [readable(subject, stored)]),
    sameAnswer(subject),
    oneByOne(subject),
  ]
}

interface Subject<Command, State, Event extends StoredEvent, Rejection> {
  readonly aggregate: Aggregate<Command, State, Event, Rejection>
  readonly command: fc.Arbitrary<Command>
  readonly event: fc.Arbitrary<Event>
  readonly history: fc.Arbitrary<ReadonlyArray<Command>>
}

/** The first of January 2026. */
const START_MS = 1_767_225_600_000

const contextOf = (place: number): Context => {
  const timeMs = START_MS + 60_000 * place
  return { timeMs, commandId: deriveId(timeMs, 'law', String(place)) }
}

/** What commands come to when they are decided in turn: each step's state before, and its decision. */
const steps = <Command, State, Event extends StoredEvent, Rejection>(
  { decide, evolve, initial }: Aggregate<Command, State, Event, Rejection>,
  commands: ReadonlyArray<Command>,
) => {
  let state = initial
  return commands.map((command, place) => {
    const before = state
    const context = contextOf(place)
    const decision = decide(command, state, context)
    const events = E.isRight(decision) ? decision.right : []
    for (const event of events) state = evolve(state, event)
    return { command, before, context, decision, events }
  })
}

const total = <Command, State, Event extends StoredEvent, Rejection>({
  aggregate,
  event,
  history,
}: Subject<Command, State, Event, Rejection>): Law =>
  law('decide and evolve are total', fc.tuple(history, fc.array(event)), ([commands, events]) => {
    for (const { command, before, context, decision } of steps(aggregate, commands)) {
      const again = aggregate.decide(command, before, context)
      agree(again, decision, 'the same command on the same state in the same context is decided the same')
      if (E.isLeft(decision)) refuseUnless(aggregate.rejection.is(decision.left), 'rejection', decision.left)
      else for (const one of decision.right) refuseUnless(aggregate.event.is(one), 'event', one)
    }
    let state = aggregate.initial
    for (const one of events) state = aggregate.evolve(state, one)
  })

const refuseUnless = (condition: boolean, what: string, value: unknown): void => {
  if (!condition) throw new Error(`this ${what} is not accepted by its own codec: ${JSON.stringify(value)}`)
}

const everyCut = <Command, State, Event extends StoredEvent, Rejection>({
  aggregate,
  history,
}: Subject<Command, State, Event, Rejection>): Law =>
  law('fold = snapshot + tail for every cut', history, (commands) => {
    const events = steps(aggregate, commands).flatMap((step) => step.events)
    const whole = stateOf(aggregate, fold(aggregate, events))
    let state = aggregate.initial
    for (let cut = 0; cut <= events.length; cut += 1) {
      const stored = stateOf(aggregate, state)
      refuseUnless(aggregate.snapshot?.stored.is(stored) === true, 'snapshot', stored)
      const resumed = aggregate.snapshot?.decode(stored) as State
      agree(stateOf(aggregate, fold(aggregate, events.slice(cut), resumed)), whole, `cut after ${cut} events`)
      const next = events[cut]
      if (next !== undefined) state = aggregate.evolve(state, next)
    }
  })

/** A state as it is stored, where it is; its JSON otherwise. */
const stateOf = <State>(
  { snapshot }: { readonly snapshot?: { encode(this: void, state: State): unknown } },
  state: State,
): unknown => throughJson(snapshot === undefined ? state : snapshot.encode(state))

const survives = <Command, State, Event extends StoredEvent, Rejection>({
  aggregate,
  history,
}: Subject<Command, State, Event, Rejection>): Law =>
  law('an event survives its codec', history, (commands) => {
    for (const { events, decision } of steps(aggregate, commands)) {
      for (const event of events) {
        const read = decodeEvent(aggregate, throughJson(encodeEvent(aggregate, event)) as StoredEvent)
        if (E.isLeft(read)) throw new Error(`not readable: ${JSON.stringify([event, read.left])}`)
        agree(read.right, event, 'the event as it was')
      }
      if (E.isLeft(decision)) {
        const read = aggregate.rejection.decode(throughJson(aggregate.rejection.encode(decision.left)))
        agree(read, E.right(decision.left), 'the rejection as it was')
      }
    }
  })

const readable = <Command, State, Event extends StoredEvent, Rejection>(
  { aggregate }: Subject<Command, State, Event, Rejection>,
  stored: ReadonlyArray<StoredEvent>,
): Law =>
  law('a stored event, once readable, stays readable', fc.constantFrom(...stored), (event) => {
    const read = decodeEvent(aggregate, event)
    if (E.isLeft(read)) throw new Error(`not readable: ${JSON.stringify([event, read.left])}`)
    aggregate.evolve(aggregate.initial, read.right)
  })

/** Small enough that a handful of commands meets snapshots, dropped ids, markers and the log. */
const SMALL: Partial<ExecuteOptions> = { snapshotEvery: 3, remembered: 4 }

interface Sending {
  /** Which commands to send in this turn, all at once: places in the history. */
  readonly places: ReadonlyArray<number>
  readonly asGroup: boolean
}

const sameAnswer = <Command, State, Event extends StoredEvent, Rejection>({
  aggregate,
  command,
}: Subject<Command, State, Event, Rejection>): Law => {
  const sent = fc.record({
    command,
    undated: fc.boolean(),
    dateMs: fc.integer({ min: 0, max: 5 }).map((minutes) => START_MS - 60_000 * minutes),
  })
  const sending: fc.Arbitrary<Sending> = fc.record({
    places: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    asGroup: fc.boolean(),
  })
  const script = fc.record({
    members: fc.array(sent, { minLength: 1, maxLength: 12 }),
    sendings: fc.array(sending, { maxLength: 15 }),
    cached: fc.boolean(),
  })
  return law(
    'the same id gives the same answer, in any interleaving with other commands',
    script,
    async ({ members, sendings, cached }) => {
      const ports = plainPorts()
      const stream = streamName(aggregate.name, 'law')
      const run = execute(aggregate, cached ? { ...ports, cache: plainCache() } : ports, SMALL)
      const envelopes = members.map((member, place) => envelopeOf(member, place))
      const answers = new Map<CommandId, unknown>()
      for (const { places, asGroup } of sendings) {
        const chosen = places.flatMap((place) => envelopes.slice(place % envelopes.length).slice(0, 1))
        const settled = asGroup
          ? await run(stream, chosen)()
          : gathered(await Promise.all(chosen.map((one) => run(stream, [one])())))
        for (const { commandId, outcome, position } of rightAnswers(settled)) {
          const answer = throughJson([outcome, position])
          agree(answer, answers.get(commandId) ?? answer, `the answer to ${commandId}`)
          answers.set(commandId, answer)
        }
      }
      oneEffectEach(ports.store, answers)
    },
  )
}

const plainCache = (): HeadCache => {
  const heads = new Map<StreamName, Head<unknown>>()
  return {
    get: (stream) => heads.get(stream),
    set: (stream, head) => void heads.set(stream, head),
    delete: (stream) => void heads.delete(stream),
  }
}

const envelopeOf = <Command>(
  { command, undated, dateMs }: { command: Command; undated: boolean; dateMs: number },
  place: number,
): Envelope<Command> => {
  const timeMs = START_MS + 1000 * place
  return undated
    ? envelope(command, { id: undatedId('law', String(place)), timeMs, dateMs: timeMs })
    : envelope(command, { id: deriveId(dateMs, 'law', String(place)), timeMs })
}

type Answers<Event, Rejection> = E.Either<Fault, ReadonlyArray<Settled<Event, Rejection>>>

const gathered = <Event, Rejection>(
  answers: ReadonlyArray<Answers<Event, Rejection>>,
): Answers<Event, Rejection> => {
  const all: Array<Settled<Event, Rejection>> = []
  for (const answer of answers)
    if (E.isLeft(answer)) return answer
    else all.push(...answer.right)
  return E.right(all)
}

const rightAnswers = <Event, Rejection>(answers: Answers<Event, Rejection>) => {
  if (E.isLeft(answers)) throw new Error(`a fault: ${JSON.stringify(answers.left)}`)
  return answers.right.map((settled) => {
    if (E.isLeft(settled)) throw new Error(`refused: ${JSON.stringify(settled.left)}`)
    return settled.right
  })
}

const oneEffectEach = (store: PlainStore, answers: ReadonlyMap<CommandId, unknown>): void => {
  const recorded = store.commits().flatMap((commit) => commit.answers.map(({ id }) => id))
  agree(recorded.toSorted(), [...answers.keys()].toSorted(), 'each command is on record once')
}

const oneByOne = <Command, State, Event extends StoredEvent, Rejection>({
  aggregate,
  history,
}: Subject<Command, State, Event, Rejection>): Law => {
  const cut = fc.nat({ max: 6 })
  return law('a group = one by one', fc.tuple(history, fc.array(cut)), async ([commands, cuts]) => {
    const members = commands.map((command, place) => {
      const { timeMs, commandId } = contextOf(place)
      return envelope(command, { id: commandId, timeMs })
    })
    const stream = streamName(aggregate.name, 'law')
    const settle = async (groups: ReadonlyArray<ReadonlyArray<Envelope<Command>>>) => {
      const ports = plainPorts()
      const run = execute(aggregate, ports, SMALL)
      const outcomes: Array<unknown> = []
      for (const group of groups)
        outcomes.push(...rightAnswers(await run(stream, group)()).map(({ outcome }) => throughJson(outcome)))
      const head = await load(aggregate, ports.store, stream, 3)
      if (E.isLeft(head)) throw new Error(`a fault: ${JSON.stringify(head.left)}`)
      return { outcomes, version: head.right.version, state: stateOf(aggregate, head.right.state) }
    }
    agree(
      await settle(groupsOf(members, cuts)),
      await settle(members.map((member) => [member])),
      'the answers, the version and the state',
    )
  })
}

/** The members in groups of these lengths, and the rest in one. */
const groupsOf = <Member>(
  members: ReadonlyArray<Member>,
  lengths: ReadonlyArray<number>,
): ReadonlyArray<ReadonlyArray<Member>> => {
  const groups: Array<ReadonlyArray<Member>> = []
  let from = 0
  for (const length of lengths) {
    if (length > 0 && from < members.length) groups.push(members.slice(from, from + length))
    from += length
  }
  if (from < members.length) groups.push(members.slice(from))
  return groups
}
