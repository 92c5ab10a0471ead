import { aggregatesOf, type Commit, decodeEvent, E, fold } from '@everfold/core'
import { Shop } from '@everfold/ecommerce'
import { test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { stateAt } from '../../src/operations/state-at.ts'
import { must } from '../must.ts'
import { shopping } from '../shop.ts'
import { aggregate, service, tally } from '../tally.ts'
import { storeOf } from './log.ts'
import { anyGroups, logOf } from './random-log.ts'

const foldedPlainly = (log: ReadonlyArray<Commit>, number: number) => {
  const events = log
    .filter((commit) => commit.number <= number)
    .flatMap(({ answers }) => answers.flatMap((answer) => answer.events))
    .map((event) => must(decodeEvent(aggregate, event)))
  return fold(aggregate, events)
}

describe('the state at a commit', () => {
  property.prop([anyGroups])(
    'is the fold of all events up to it, from whichever snapshot',
    async (groups) => {
      const stream = tally('a')
      const store = await logOf(stream, groups)
      const look = stateAt(aggregatesOf(service), store)
      for (const { number, version } of store.log) {
        const found = must(await look(stream, number)())
        const snapshots = store.log.filter((one) => one.number <= number && one.snapshot !== undefined)
        const snapshot = snapshots.at(-1)?.number
        expect(found).toMatchObject({ commit: number, version, state: foldedPlainly(store.log, number) })
        expect(found.snapshot).toBe(snapshot)
        expect(found.folded).toBe(number - (snapshot ?? 0))
      }
      expect(must(await look(stream)())).toEqual(must(await look(stream, store.log.length)()))
    },
  )

  test('is plain JSON for every stream of a shop', async () => {
    const { log } = await shopping()
    const look = stateAt(aggregatesOf(Shop.service()), storeOf(log))
    for (const { stream, number } of log.filter((commit) => !commit.stream.startsWith('claim/'))) {
      const { state } = must(await look(stream, number)())
      expect(JSON.parse(JSON.stringify(state))).toEqual(state)
    }
  })

  test('is none beyond the newest commit, on a stream without commits, or without an aggregate', async () => {
    const store = await logOf(tally('a'), [[{ tag: 'Count', points: 1, dated: true, ageHours: 0 }]])
    const look = stateAt(aggregatesOf(service), store)
    expect(await look(tally('a'), 2)()).toEqual(
      E.left({ _tag: 'NoCommit', stream: 'tally/a', commit: 2, newest: 1 }),
    )
    expect(await look(tally('b'))()).toMatchObject({ left: { _tag: 'NoCommit', newest: 0 } })
    expect(await look('cup/a' as never)()).toEqual(
      E.left({ _tag: 'NoAggregate', category: 'cup', known: ['tally'] }),
    )
  })
})
