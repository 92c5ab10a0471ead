/** What users say of their own aggregates, judged after each commit and in the end. */
import { type StreamName, streamParts } from '@everfold/core'
import type { Invariant, Judgement, Overview } from '../invariant.ts'
import type { Judge } from './judge.ts'
import type { Book, LogBook } from './log-book.ts'
import { stackOfThrown, wordsOfThrown } from './thrown.ts'

export interface Users {
  committed(this: void, book: Book): void
  ended(this: void): void
}

export const usersOf = (
  invariants: ReadonlyArray<Invariant>,
  { broken }: Judge,
  { books }: LogBook,
  overview: Overview,
): Users => {
  const judged = (invariant: Invariant, judgement: () => Judgement, where: string) => {
    try {
      const said = judgement()
      if (invariant.when === 'sometimes') {
        if (said === true) overview.mark(invariant.name)
        return
      }
      if (said === undefined || said === true) return
      const why = said === false ? '' : `: ${said}`
      broken(
        invariant.name,
        `${invariant.name}${where === '' ? '' : `, and in ${where} it does not hold`}${why}`,
        invariant.stack,
      )
    } catch (thrown) {
      const about = where === '' ? '' : ` about ${where}`
      broken(
        invariant.name,
        `${invariant.name}, and its judgement threw${about}: ${wordsOfThrown(thrown)}`,
        stackOfThrown(thrown) ?? invariant.stack,
      )
    }
  }
  const of = (when: Invariant['when']) => invariants.filter((one) => one.when === when)
  const always = [...of('always'), ...of('sometimes')]
  const eventually = of('eventually')
  const judgeBook = (invariant: Invariant, { stream, state, commits }: Book) => {
    const { aggregate, holdsOf } = invariant
    if (holdsOf === undefined || streamParts(stream).category !== aggregate?.name) return
    judged(invariant, () => holdsOf(state, stream), `${stream}@${commits.length}`)
  }
  const judgeOverall = (invariant: Invariant) => {
    const { holds } = invariant
    if (holds !== undefined) judged(invariant, () => holds(overview), '')
  }
  return {
    committed: (book) => {
      for (const invariant of always) {
        judgeBook(invariant, book)
        judgeOverall(invariant)
      }
    },
    ended: () => {
      for (const invariant of eventually) {
        for (const book of books()) judgeBook(invariant, book)
        judgeOverall(invariant)
      }
    },
  }
}

/** Of all streams of a category, as their logs fold. */
export const statesOf = ({ books }: LogBook, category: string): ReadonlyMap<StreamName, unknown> => {
  const states = new Map<StreamName, unknown>()
  for (const { stream, state } of books())
    if (streamParts(stream).category === category) states.set(stream, state)
  return states
}
