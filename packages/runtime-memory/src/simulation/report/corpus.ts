/**
 * A corpus of past failures, one JSON file each, which are run before anything new is tried. Reading and writing of the
 * files is the caller's.
 */
import type { E, InvalidInput } from '@everfold/core'
import { hashOf } from '../../random.ts'
import type { Plan, Request, Run } from '../run.ts'
import { encodePlan, planJson, planOf, requestJson, requestsOf } from './plan-text.ts'
import { fieldsOf, readText, textOf, versionOf } from './reading.ts'

const VERSION = 1

/** What failed once: all that its run is made of, and what it broke. */
export interface Failure {
  /** What went wrong, for people; also what its file is named after. */
  readonly name: string
  readonly plan: Plan
  readonly requests: ReadonlyArray<Request>
  /** The invariant that did not hold. */
  readonly invariant: string
}

/** Where past failures are kept. */
export interface Corpus {
  failures(this: void): Promise<ReadonlyArray<Failure>>
  /** Adds a failing run, once, under a name that it gives; answers where it is. */
  keep(this: void, run: Run): Promise<string>
}

/** What a failing run is called: its invariant, and a hash of what makes it. */
export const nameOf = ({ plan, requests, violation }: Run): string =>
  `${violation?.invariant.slice(0, 60) ?? 'nothing'} ${hashOf([encodePlan(plan, requests)])}`

/** A run as a failure to keep. Throws where nothing was violated. */
export const failureOf = (name: string, { plan, requests, violation }: Run): Failure => {
  if (violation === undefined)
    throw new Error('only a run with a violation belongs in a corpus, and this one has none')
  return { name, plan, requests, invariant: violation.invariant }
}

/** Indented, because it is kept under version control. */
export const encodeFailure = ({ name, plan, requests, invariant }: Failure): string =>
  `${JSON.stringify({ version: VERSION, name, invariant, plan: planJson(plan), requests: requests.map(requestJson) }, null, 2)}\n`

/** Reads a file of `encodeFailure`. Left, with all that is wrong in it, where it is no failure of this version. */
export const decodeFailure = (text: string): E.Either<InvalidInput, Failure> =>
  readText(text, (input) => {
    const nothing: Failure = {
      name: '',
      plan: { seed: '', deviations: new Map() },
      requests: [],
      invariant: '',
    }
    const field = fieldsOf(input, ['version', 'name', 'invariant', 'plan', 'requests'])
    if (field === undefined) return nothing
    versionOf(field('version'), VERSION)
    const plan = fieldsOf(field('plan'), ['seed', 'deviations'])
    return {
      name: textOf(field('name')),
      plan: plan === undefined ? nothing.plan : planOf(plan),
      requests: requestsOf(field('requests')),
      invariant: textOf(field('invariant')),
    }
  })

/** A name for its file that every file system takes: `the answer of a payment was lost.json`. */
export const fileOf = ({ name }: Failure): string => {
  const plain = name
    .normalize('NFKD')
    .replaceAll(/[^a-zA-Z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .toLowerCase()
  return `${plain.slice(0, 80) || 'failure'}.json`
}
