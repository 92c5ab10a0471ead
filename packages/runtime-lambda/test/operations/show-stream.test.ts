import { E } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type ShownCommit, showStream } from '../../src/operations/show-stream.ts'
import { must } from '../must.ts'
import { history, tally } from '../tally.ts'
import { storeOf } from './log.ts'
import { anyGroups, logOf } from './random-log.ts'

const number = fc.option(fc.integer({ min: 1, max: 45 }), { nil: undefined })

describe('a stream is shown', () => {
  property.prop([anyGroups, number, number])(
    'commit by commit from the first to the last that is asked for, each as it is stored',
    async (groups, from, to) => {
      const { log } = await logOf(tally('a'), groups)
      const found: Array<ShownCommit> = []
      const count = must(
        await showStream(storeOf(log), tally('a'), { from, to })((commit) => found.push(commit))(),
      )
      const wanted = log.filter(
        (commit) => commit.number >= (from ?? 1) && commit.number <= (to ?? log.length),
      )
      expect(count).toBe(wanted.length)
      expect(found.map((commit) => commit.number)).toEqual(wanted.map((commit) => commit.number))
      for (const [at, { version, answers }] of found.entries()) {
        const stored = wanted[at]?.answers ?? []
        expect(answers.map(({ commandId }) => commandId)).toEqual(stored.map(({ id }) => id))
        expect(answers.map(({ events }) => events.map(({ event }) => event))).toEqual(
          stored.map(({ events }) => events),
        )
        const versions = answers.flatMap(({ events }) => events.map((event) => event.version))
        expect(versions.at(-1) ?? version).toBe(version)
      }
    },
  )

  test('up to a commit that is missing, and that is said', async () => {
    const log = history(tally('a'), [['x'], ['y'], ['z']]).filter((commit) => commit.number !== 2)
    const found: Array<number> = []
    const outcome = await showStream(storeOf(log), tally('a'))((commit) => found.push(commit.number))()
    expect(outcome).toEqual(E.left({ _tag: 'MissingCommit', stream: 'tally/a', number: 2 }))
    expect(found).toEqual([1])
  })
})
