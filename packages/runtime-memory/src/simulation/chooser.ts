/**
 * Who decides what is not benign about a run.
 *
 * Every decision point has a stable key. A plan names the keys that deviate; by chance, each point draws from its seed
 * and its own key alone, so that a deviation which is left out shifts no other. Per seed some kinds of deviation are off
 * and the others come at rates of their own (swarm testing: Groce et al., "Swarm Testing", ISSTA 2012).
 */
import type { Choose, Point } from '../effect.ts'
import { draw } from '../random.ts'
import type { Deviations } from './run.ts'

/** Those of a plan, and no others. */
export const planned =
  (deviations: Deviations): Choose =>
  (key, offers) => {
    if (deviations.size === 0) return undefined
    const deviation = deviations.get(key)
    return deviation !== undefined && offers.includes(deviation) ? deviation : undefined
  }

/** How often a kind that is on deviates, by seeds. */
const RATES = [0.004, 0.01, 0.03, 0.08, 0.2]

/** Drawn from the seed and the point's key. */
export const byChance = (seed: string): Choose => {
  const masks = new Map<ReadonlyArray<string>, Mask>()
  return (key, offers) => {
    let mask = masks.get(offers)
    if (mask === undefined) masks.set(offers, (mask = maskOf(seed, offers)))
    if (mask.length === 0) return undefined
    const drawn = draw(seed, key)
    for (const { kind, upTo } of mask) if (drawn < upTo) return kind
    return undefined
  }
}

type Mask = ReadonlyArray<{ readonly kind: string; readonly upTo: number }>

const maskOf = (seed: string, offers: ReadonlyArray<string>): Mask => {
  let upTo = 0
  return offers
    .filter((kind) => draw(seed, `on ${kind}`) < 0.5)
    .map((kind) => {
      const rate = RATES[Math.floor(draw(seed, `rate ${kind}`) * RATES.length)] ?? 0
      upTo += rate
      return { kind, upTo }
    })
}

/** Until the faults stop, so that what is left has to come to rest. */
export const until =
  (choose: Choose, stopped: () => boolean): Choose =>
  (key, offers, point) =>
    stopped() ? undefined : choose(key, offers, point)

export interface Noted {
  readonly choose: Choose
  /** What deviated, by key. */
  readonly deviations: Map<string, string>
}

/** The decision points of a run, in their order, with what was possible there. */
export type Sites = Map<string, ReadonlyArray<string>>

/** What is noted of a run while it runs, for whoever asks for it; one `coverage` serves many runs. */
export interface Notes {
  readonly coverage?: Coverage
  readonly sites?: Sites
}

/** Notes what deviates, and where what was possible. */
export const noted = (choose: Choose, { coverage, sites }: Notes = {}): Noted => {
  const deviations = new Map<string, string>()
  return {
    deviations,
    choose: (key, offers, point) => {
      const deviation = choose(key, offers, point)
      if (deviation !== undefined) deviations.set(key, deviation)
      coverage?.met(point, offers, deviation)
      sites?.set(key, offers)
      return deviation
    },
  }
}

/** What was reached: which kinds of deviation were possible at which places, and how often they came about. */
export interface Coverage {
  met(this: void, point: Point, offers: ReadonlyArray<string>, deviation: string | undefined): void
  /** Something that should happen in some runs has happened. */
  mark(this: void, name: string): void
  readonly marks: ReadonlyMap<string, number>
  matrix(this: void): ReadonlyArray<Cell>
}

/** One kind of deviation at one place: how often it was possible, and how often it came about. */
export interface Cell {
  /** A kind of deviation. */
  readonly kind: string
  /** The port or service, and its operation. */
  readonly place: string
  readonly possible: number
  readonly happened: number
}

interface Place {
  readonly possible: Map<ReadonlyArray<string>, number>
  readonly happened: Map<string, number>
}

/** Empty coverage, to be handed to runs as their notes: it counts what was possible and what came about in all of them. */
export const coverage = (): Coverage => {
  const ports = new Map<string, Map<string, Place>>()
  const marks = new Map<string, number>()
  const placeOf = ({ port, operation }: Point): Place => {
    let operations = ports.get(port)
    if (operations === undefined) ports.set(port, (operations = new Map()))
    let place = operations.get(operation)
    if (place === undefined) operations.set(operation, (place = { possible: new Map(), happened: new Map() }))
    return place
  }
  return {
    met: (point, offers, deviation) => {
      if (offers.length === 0) return
      const { possible, happened } = placeOf(point)
      possible.set(offers, (possible.get(offers) ?? 0) + 1)
      if (deviation !== undefined) happened.set(deviation, (happened.get(deviation) ?? 0) + 1)
    },
    mark: (name) => void marks.set(name, (marks.get(name) ?? 0) + 1),
    marks,
    matrix: () =>
      [...ports].flatMap(([port, operations]) =>
        [...operations].flatMap(([operation, place]) => cellsOf(`${port}.${operation}`, place)),
      ),
  }
}

const cellsOf = (place: string, { possible, happened }: Place): ReadonlyArray<Cell> => {
  const counts = new Map<string, number>()
  for (const [kinds, count] of possible)
    for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + count)
  return [...counts].map(([kind, count]) => ({
    kind,
    place,
    possible: count,
    happened: happened.get(kind) ?? 0,
  }))
}
