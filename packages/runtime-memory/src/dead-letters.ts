/** What could not be delivered, and what becomes of work that meets a fault: tried again, or buried. */
import { E, type Fault, isPermanent, type Log } from '@everfold/core'

/** What could not be delivered, and why: it waits here for a person. */
export interface DeadLetter {
  readonly what: string
  readonly reason: unknown
}

export type Outcome = E.Either<Fault, void>

export interface DeadLetterOffice {
  readonly deadLetters: ReadonlyArray<DeadLetter>
  bury(this: void, what: string, reason: unknown): void
  /** Work that met a fault is about to be done again. */
  retrying(this: void, what: string, fault: Fault): void
  /** Buries what will not go through however often it is tried, so that it holds up nothing else. */
  attempt(this: void, what: string, work: () => Promise<Outcome>): Promise<Outcome>
}

export const deadLetterOffice = (log: Log): DeadLetterOffice => {
  const deadLetters: Array<DeadLetter> = []
  const bury = (what: string, reason: unknown) => {
    deadLetters.push({ what, reason })
    log({ level: 'error', message: 'dead letter', what, reason })
  }
  const attempt = async (what: string, work: () => Promise<Outcome>): Promise<Outcome> => {
    try {
      const outcome = await work()
      if (E.isRight(outcome) || !isPermanent(outcome.left)) return outcome
      bury(what, outcome.left)
    } catch (broken) {
      bury(what, broken)
    }
    return E.right(undefined)
  }
  return {
    deadLetters,
    bury,
    retrying: (what, fault) => log({ level: 'warn', message: 'retry', what, fault }),
    attempt,
  }
}
