/** Port operations as effects: what a kernel may let happen to each, and what becomes of it then. */

/** What a port asks of the world: applied in one piece, at a time the kernel chooses. */
export type Perform = <A>(
  operation: string,
  subject: string,
  apply: () => A,
  failing?: Failing<A>,
) => Promise<A>

/** How an effect can fail; absent for one that cannot. */
export interface Failing<A> {
  /** What its caller is told where no answer comes: not even whether it was applied. */
  readonly unanswered: () => A
  /** It changes nothing, so that no difference is between a request that was lost and an answer that was. */
  readonly reads?: true
}

/** The name of an effect: the same request of the same actor has it in every run. */
export interface Effect {
  readonly actor: string
  readonly port: string
  readonly operation: string
  readonly subject: string
  /** How often the actor has asked for just this, this time included. */
  readonly attempt: number
}

export const keyOf = ({ actor, port, operation, subject, attempt }: Effect): string =>
  `${actor}: ${port}.${operation} ${subject} #${attempt}`

/** Decides on what is not benign about a point of a run, of what is possible there; undefined for the benign. */
export type Choose = (key: string, offers: ReadonlyArray<string>, point: Point) => string | undefined

/** Where something is decided; for coverage, and for masks over kinds of places. */
export interface Point {
  /** The port or service. */
  readonly port: string
  readonly operation: string
}

/** How an effect deviates. The words are part of plans that are kept: they change no more. */
export const REQUEST_LOST = 'request lost'
export const RESPONSE_LOST = 'response lost'
export const LANDS_SOON = 'lands 50 ms late'
export const LANDS_LATE = 'lands 30 s late'
export const CRASH_BEFORE = 'crash before'
export const CRASH_AFTER = 'crash after'
export const SLOW = 'slow by 20 s'
export const OVERTAKEN_BY_FEW = 'overtaken by 3'
export const OVERTAKEN_BY_MANY = 'overtaken by 30'

const ORDER = [OVERTAKEN_BY_FEW, OVERTAKEN_BY_MANY, SLOW]
const READ = [...ORDER, REQUEST_LOST]
const WRITE = [...READ, RESPONSE_LOST, LANDS_SOON, LANDS_LATE]

const OFFERS = {
  surely: { immortal: ORDER, mortal: [...ORDER, CRASH_BEFORE, CRASH_AFTER] },
  reads: { immortal: READ, mortal: [...READ, CRASH_BEFORE] },
  writes: { immortal: WRITE, mortal: [...WRITE, CRASH_BEFORE, CRASH_AFTER] },
}

/** What may become of an effect: whoever can die may do so before it and after. */
export const offersOf = (failing: Failing<unknown> | undefined, mortal: boolean): ReadonlyArray<string> => {
  const kind = failing === undefined ? 'surely' : failing.reads === true ? 'reads' : 'writes'
  return OFFERS[kind][mortal ? 'mortal' : 'immortal']
}
