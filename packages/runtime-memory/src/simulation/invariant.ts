/**
 * What users say of their own aggregates: what always holds, and what holds in the end.
 *
 *     always('no more is reserved than there is', Stock.aggregate, ({ onHand, reserved }) => reserved <= onHand)
 *     eventually('every order ends', Order.aggregate, ({ status }) => status === 'completed' || status === 'canceled')
 *
 * A judgement answers true or nothing where it holds, false or in words what contradicts it; one that throws is broken.
 */
import type { Aggregate, AnyAggregate, Commit, StoredEvent, StreamName } from '@everfold/core'

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
}

export interface Invariant {
  readonly name: string
  readonly when: 'always' | 'eventually'
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
  stack: placeOfCaller(when === 'always' ? always : eventually),
  aggregate,
  holdsOf: holds as StateJudge<unknown>,
})

const placeOfCaller = (callee: (...of: never) => unknown): string => {
  const place: { stack?: string } = {}
  Error.captureStackTrace(place, callee)
  return place.stack ?? ''
}
