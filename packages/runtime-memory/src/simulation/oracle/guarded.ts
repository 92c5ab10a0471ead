/**
 * The service's own code, whose errors are told with its line wherever they end up: core takes what a view throws for a
 * fault of its generation, and the oracle itself decides and folds anew.
 */
import type { Projection } from '@everfold/core'
import { inTheNameOf } from '../actor-globals.ts'
import type { Actor } from '../globals/actor.ts'
import type { Judge } from './judge.ts'
import { stackOfThrown, wordsOfThrown } from './thrown.ts'

type Guard = <Args extends ReadonlyArray<unknown>>(
  ask: (...args: Args) => void,
  about: (...args: Args) => string,
) => (...args: Args) => void

/**
 * What the oracle asks of the service's code throws at nobody: the port that the oracle heard of it from has done nothing
 * wrong. `about` says in words what was asked.
 */
export const guarded = ({ broken }: Judge): Guard => {
  const told = (what: string) => (thrown: unknown) =>
    broken('handler', `${what}: ${wordsOfThrown(thrown)}`, stackOfThrown(thrown))
  const oracle: Actor = {
    globals: 'guarded',
    name: 'the code that the oracle asks anew',
    reached: ({ message, stack }) => broken('handler', message, stack),
    rejected: told('a handler waits for what it begins, and a promise was left behind that was rejected'),
  }
  return (ask, about) =>
    (...args) => {
      try {
        inTheNameOf(oracle, () => ask(...args))
      } catch (thrown) {
        told(`no handler throws, and the service's code did, asked anew about ${about(...args)}`)(thrown)
      }
    }
}

/** The same projections, telling of what their code throws. */
export const watchedProjections = (
  projections: ReadonlyArray<Projection>,
  { broken }: Judge,
): ReadonlyArray<Projection> =>
  projections.map((projection) => {
    const told = <A>(body: () => A): A => {
      try {
        return body()
      } catch (thrown) {
        broken(
          'handler',
          `no handler throws, and the view ${projection.name} did: ${wordsOfThrown(thrown)}`,
          stackOfThrown(thrown),
        )
        throw thrown
      }
    }
    const sources = projection.sources.map(({ aggregate, rows }) => ({
      aggregate,
      rows: (recorded: Parameters<typeof rows>[0]) =>
        told(() => rows(recorded)).map(({ pk, sk, change }) => ({
          pk,
          sk,
          change: (value: Parameters<typeof change>[0]) => told(() => change(value)),
        })),
    }))
    return { ...projection, sources }
  })
