/**
 * What users say of their own aggregates: what always holds, what holds in the end, and what has to come about in some
 * run, without which the runs have not tried what they are meant to.
 *
 *     always('no more is reserved than there is', Stock.aggregate, ({ onHand, reserved }) => reserved <= onHand)
 *     sometimes('a reservation expires', Stock.aggregate, ({ expired }) => expired > 0)
 *     eventually('every order ends', Order.aggregate, ({ status }) => status === 'completed' || status === 'canceled')
 *
 * A judgement answers true or nothing where it holds, false or in words what contradicts it; one that throws is broken.
 */
import type { Aggregate, AnyAggregate, Commit, StoredEvent, StreamName } from '@everfold/core'

/** True or nothing where it holds; false, or in words what contradicts it. */
export type Judgement = boolean | string | void

/** What happened so far, for whoever judges the whole. */
export interface Overview {
  /** The states of an aggregate's streams, folded from their logs. */
  states<Command, State, Event extends StoredEvent, Rejection>(
    this: void,
    aggregate: Aggregate<Command, State, Event, Rejection>,
  ): ReadonlyMap<StreamName, State>
  /** All commits, in the order in which they were appended. */
  readonly log: ReadonlyArray<Commit>
  /** Notes that something has happened which should in some runs. */
  mark(this: void, name: string): void
}

/** What has to hold, or to come about; made by the functions below. */
export interface Invariant {
  readonly name: string
  readonly when: 'always' | 'eventually' | 'sometimes'
  /** Where it was stated. */
  readonly stack: string
  /** Of one state of this aggregate. */
  readonly aggregate?: AnyAggregate
  readonly holdsOf?: (state: unknown, stream: StreamName) => Judgement
  /** Of the whole. */
  readonly holds?: (overview: Overview) => Judgement
}

type StateJudge<State> = (state: State, stream: StreamName) => Judgement

/** Of every state that a commit leads to. */
export const always = <Command, State, Event extends StoredEvent, Rejection>(
  name: string,
  aggregate: Aggregate<Command, State, Event, Rejection>,
  holds: StateJudge<State>,
): Invariant => ofState('always', name, aggregate, holds)

/** Of every stream's last state, once the faults have stopped and nothing moves any more. */
export const eventually = <Command, State, Event extends StoredEvent, Rejection>(
  name: string,
  aggregate: Aggregate<Command, State, Event, Rejection>,
  holds: StateJudge<State>,
): Invariant => ofState('eventually', name, aggregate, holds)

/** Of some state that a commit leads to, in some run: nothing is broken where it does not hold, and a mark set where it does. */
export const sometimes = <Command, State, Event extends StoredEvent, Rejection>(
  name: string,
  aggregate: Aggregate<Command, State, Event, Rejection>,
  holds: (state: State, stream: StreamName) => boolean,
): Invariant => ofState('sometimes', name, aggregate, holds)

/** Of all streams together, after some commit of some run. */
export const sometimesOverall = (name: string, holds: (overview: Overview) => boolean): Invariant => ({
  name,
  when: 'sometimes',
  stack: placeOfCaller(sometimesOverall),
  holds,
})

/** Of all streams together, after each commit. */
export const alwaysOverall = (name: string, holds: (overview: Overview) => Judgement): Invariant => ({
  name,
  when: 'always',
  stack: placeOfCaller(alwaysOverall),
  holds,
})

/** Of all streams together, in the end. */
export const eventuallyOverall = (name: string, holds: (overview: Overview) => Judgement): Invariant => ({
  name,
  when: 'eventually',
  stack: placeOfCaller(eventuallyOverall),
  holds,
})

const ofState = <Command, State, Event extends StoredEvent, Rejection>(
  when: Invariant['when'],
  name: string,
  aggregate: Aggregate<Command, State, Event, Rejection>,
  holds: StateJudge<State>,
): Invariant => ({
  name,
  when,
  stack: placeOfCaller(CALLEES[when]),
  aggregate,
  holdsOf: holds as StateJudge<unknown>,
})

const CALLEES = { always, eventually, sometimes }

const placeOfCaller = (callee: (...of: never) => unknown): string => {
  const place: { stack?: string } = {}
  Error.captureStackTrace(place, callee)
  return place.stack ?? ''
}
