import { aggregatesOf, deriveId, E, outbox, type StreamName, undatedId } from '@everfold/core'
import { Shop } from '@everfold/ecommerce'
import { test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { stateAt } from '../../src/operations/state-at.ts'
import { type Why, whyAnswered } from '../../src/operations/why-answered.ts'
import { must } from '../must.ts'
import { shopping } from '../shop.ts'
import { service, tally } from '../tally.ts'
import { storeOf } from './log.ts'
import { anyGroups, idOf, logOf, type Sent, START_MS } from './random-log.ts'

type OnRecord = Extract<Why, { _tag: 'OnRecord' }>

const onRecord = (why: Why): OnRecord => {
  if (why._tag === 'OnRecord') return why
  throw new Error(`not on record: ${JSON.stringify(why)}`)
}

describe('whatever a stream remembers and has forgotten', () => {
  const stream = tally('a')

  property.prop([anyGroups])('every id that it ever answered is found, and no other', async (groups) => {
    const store = await logOf(stream, groups)
    const why = whyAnswered(service, store)
    for (const [group, members] of groups.entries())
      for (const [at, sent] of members.entries()) {
        const id = idOf(group, at, sent)
        const found = onRecord(must(await why(stream, id)()))
        expect(found).toMatchObject({ commit: group + 1, answer: { commandId: id } })
      }
    for (const hours of [-10, 0, groups.length, 50]) {
      const id = deriveId(START_MS + hours * 3_600_000, 'never sent')
      expect(must(await why(stream, id)())).toMatchObject({ _tag: 'NotOnRecord' })
    }
    expect(must(await why(stream, undatedId('never sent'))())).toMatchObject({ _tag: 'NotOnRecord' })
  })

  property.prop([anyGroups])(
    'a rejection names the very state that the command was decided on',
    async (groups) => {
      const store = await logOf(stream, groups)
      const why = whyAnswered(service, store)
      for (const { answers } of store.log)
        for (const { id, rejection } of answers) {
          if (rejection === undefined) continue
          const { decidedOn } = onRecord(must(await why(stream, id)()))
          expect(rejection).toEqual({ _tag: 'NotEnough', tally: decidedOn.state })
        }
    },
  )

  test('a key whose marker is gone is found in the log', async () => {
    const groups = Array.from(
      { length: 30 },
      (): ReadonlyArray<Sent> => [{ tag: 'Count', points: 1, dated: false, ageHours: 0 }],
    )
    const store = await logOf(stream, groups)
    const id = store.log.find(({ answers }) => answers[0]?.marked === true)?.answers[0]?.id
    if (id === undefined) throw new Error('no marker was left')
    expect(onRecord(must(await whyAnswered(service, store)(stream, id)())).foundIn).toBe('marker')
    const without = { ...store, marker: () => async () => E.right(undefined) }
    expect(onRecord(must(await whyAnswered(service, without)(stream, id)())).foundIn).toBe('log')
  })
})

describe('in a shop', () => {
  test('what a commit sets off belongs to one of its answers each, and nothing is left over', async () => {
    const { log } = await shopping()
    const shop = Shop.service()
    const why = whyAnswered(shop, storeOf(log))
    const deliveriesOf = outbox(shop)
    let count = 0
    const refusals = log.filter(({ answers }) =>
      answers.some(({ rejection }) => rejection !== undefined),
    ).length
    for (const commit of log.filter(({ stream }) => !stream.startsWith('claim/'))) {
      const set = []
      for (const { id } of commit.answers) set.push(...onRecord(must(await why(commit.stream, id)())).setOff)
      const due = must(deliveriesOf(commit))
      expect(set).toHaveLength(due.length)
      count += set.length
    }
    expect(count).toBeGreaterThan(10)
    expect(refusals).toBeGreaterThan(0)
  })

  test('an answer is decided on the state that the commit before left', async () => {
    const { log, orderId } = await shopping()
    const shop = Shop.service()
    const stream = `order/${orderId}` as StreamName
    const store = storeOf(log)
    const confirmed = log.find((commit) => commit.stream === stream && commit.number === 2)?.answers[0]?.id
    if (confirmed === undefined) throw new Error('no confirmation')
    const found = onRecord(must(await whyAnswered(shop, store)(stream, confirmed)()))
    expect(found.decidedOn).toEqual(must(await stateAt(aggregatesOf(shop), store)(stream, 1)()))
    expect(found.decidedOn.state).toMatchObject({ status: 'placed' })
    expect(found.answer.events).toMatchObject([{ id: `${stream}@2.0`, event: { _tag: 'OrderConfirmed' } }])
  })
})
