import { E, type Projection, streamName, unavailable } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import {
  answering,
  bar,
  command,
  drinksOf,
  eventsOf,
  HOUSE,
  heard,
  type Keeper,
  order,
  PATIENCE_MS,
  rowsOf,
  send,
  served,
  tab,
  tabs,
} from './bar.ts'
import {
  anyEvening,
  anyPatience,
  anyRun,
  DAY_MS,
  drinkOf,
  effectsOf,
  evening,
  expectedTimers,
  expectServed,
  HOUR_MS,
  keeperOf,
  MINUTE_MS,
  modes,
  orderAll,
  SECOND_MS,
  tally,
} from './evening.ts'

describe('whatever is ordered, however the barkeeper is', () => {
  property.prop([...anyRun], { numRuns: 60 })(
    'idle resolves only when all that was set off has been delivered, each once',
    async (wishes, seed, mode) => {
      const open = await evening(wishes, { seed, mode })
      const { length } = open.runtime.ports.log
      const calls = open.calls.length
      await expectServed(open)
      await open.kernel.settle(open.kernel.nowMs() + PATIENCE_MS / 2)
      expect([open.runtime.ports.log.length, open.calls.length]).toEqual([length, calls])
    },
  )
  property.prop([...anyRun], { numRuns: 60 })(
    'what asks the outside world about one stream is asked in its order, also when a call meets a fault and comes again',
    async (wishes, seed, mode) => {
      const open = await evening(wishes, { seed, mode })
      const asked = Map.groupBy(open.calls, ({ tab: id }) => id)
      for (const [id, calls] of asked) {
        const turns = calls.map(({ drink }) => drink).filter((drink, at, all) => drink !== all[at - 1])
        expect(turns).toEqual(tally(open, 'Ordered')[id])
      }
    },
  )
  property.prop([...anyRun], { numRuns: 60 })(
    'a call that met a fault comes again, with the same key, until it is answered, and then no more',
    async (wishes, seed, mode) => {
      const open = await evening(wishes, { seed, mode })
      const asked = Map.groupBy(open.calls, ({ drink }) => drink)
      expect(new Set(open.calls.map(({ key }) => key)).size).toBe(wishes.length)
      for (const [at, { drops }] of wishes.entries()) {
        const calls = asked.get(drinkOf(at)) ?? []
        expect([calls.length, new Set(calls.map(({ key }) => key)).size]).toEqual([drops + 1, 1])
      }
    },
  )
  property.prop([anyEvening, fc.nat()], { numRuns: 15 })(
    'equal seeds give equal traces',
    async (wishes, seed) => {
      const [one, other] = [await evening(wishes, { seed }), await evening(wishes, { seed })]
      expect(one.kernel.trace).toEqual(other.kernel.trace)
      expect(one.runtime.ports.log).toEqual(other.runtime.ports.log)
    },
  )
})

describe('whatever happens on the way', () => {
  property.prop([...anyRun], { numRuns: 40 })(
    'a second delivery of everything changes nothing',
    async (wishes, seed, mode) => {
      const first = await evening(wishes, { seed, mode })
      const { kernel, runtime } = first
      runtime.stop()
      const rows = await kernel.run(() => rowsOf(first, 'DRINK'))
      const before = effectsOf(first)
      const second = bar({ kernel, keeper: keeperOf(wishes), ports: runtime.ports })
      await kernel.settle(kernel.nowMs() + 2 * PATIENCE_MS)
      expect(second.calls.length).toBeGreaterThanOrEqual(wishes.length)
      expect(effectsOf(first)).toEqual(before)
      expect(await kernel.run(() => rowsOf(second, 'DRINK'))).toEqual(rows)
      expect(second.runtime.deadLetters).toEqual([])
    },
  )
  property.prop([...anyRun, fc.nat({ max: 120 })], { numRuns: 60 })(
    'a runtime that stops at any time is carried on by another over the same store',
    async (wishes, seed, mode, afterSeconds) => {
      const first = bar({ seed, mode, keeper: keeperOf(wishes) })
      const { kernel, runtime } = first
      let calls = 0
      await kernel.run(async () => {
        const ordering = orderAll(first, wishes)
        // Between two seconds, so that no effect is under way but calls.
        await kernel.sleep((afterSeconds + 0.5) * SECOND_MS)
        runtime.stop()
        calls = first.calls.length
        await ordering
        await runtime.idle()
      })
      expect(first.calls.length).toBe(calls)
      const second = bar({ kernel, keeper: keeperOf(wishes), ports: { ...runtime.ports } })
      await kernel.run(second.runtime.idle)
      await expectServed(second)
    },
  )
  property.prop([anyPatience, fc.nat(), fc.constantFrom(...modes)], { numRuns: 60 })(
    "a process's timer fires once, at or after its time; one that was canceled or replaced is not heard",
    async (wishes, seed, mode) => {
      const open = bar({ seed, mode, keeper: keeperOf(wishes) })
      const startMs = open.kernel.nowMs()
      await open.kernel.run(() => orderAll(open, wishes))
      await open.kernel.settle(startMs + 3 * DAY_MS)
      expect(heard(open, 'Elapsed').map(({ tab: id, dueMs }) => [id, dueMs])).toEqual(expectedTimers(open))
      for (const { appendedMs, dueMs } of heard(open, 'Elapsed')) expect(appendedMs).toBe(dueMs)
      const closed = eventsOf(open, 'tab').filter(({ event }) => event._tag === 'Closed')
      expect(new Set(closed.map(({ tab: id }) => id))).toEqual(
        new Set(heard(open, 'Elapsed').map(({ tab: id }) => id)),
      )
    },
  )
})

test('nothing spins while the outside world is down', async () => {
  const startMs = 0
  const downTo = 10 * HOUR_MS
  const keeper: Keeper = async ({ drink, atMs }) =>
    atMs < downTo ? E.left(unavailable('the barkeeper')) : served(drink)
  const open = bar({ startMs, keeper })
  await open.kernel.run(async () => {
    for (const id of ['ann', 'ben']) await order(open, id, 'tea')
    await open.runtime.idle()
  })
  expect(tally(open, 'Served')).toEqual({ ann: ['tea'], ben: ['tea'] })
  const calls = Math.ceil(downTo / (MINUTE_MS / 2)) + 1
  expect(open.calls.length).toBe(2 * calls)
  expect(open.kernel.trace.length / open.calls.length).toBeLessThan(10)
})

/** Takes so long for what is slow, and so long for all else. */
const slowly =
  (slowMs: number, otherMs: number): Keeper =>
  async ({ drink }, kernel) => {
    await kernel.sleep(drink === 'slow' ? slowMs : otherMs)
    return served(drink)
  }

/** Orders more for the house instead of serving it. */
const pouringMore: Keeper = async ({ tab: id, drink }, kernel) => {
  await kernel.sleep(MINUTE_MS)
  return id === HOUSE ? answering({ _tag: 'Order', drink: 'more' }) : served(drink)
}

const bombing: Keeper = async ({ drink }) =>
  drink === 'petrol' ? answering({ _tag: 'Order', drink: 'bomb' }) : served(drink)

const breaking: Projection = {
  name: 'drinks',
  generation: 'breaking',
  sources: drinksOf(tab).sources.map(({ aggregate, rows }) => ({
    aggregate,
    rows: (recorded) => {
      if (recorded.stream.endsWith('ann')) throw new Error('a projection that is not total')
      return rows(recorded)
    },
  })),
}

test('who is stopped in the midst of much ends what he holds, and takes no more', async () => {
  const open = bar({ seed: 1 })
  const { kernel, runtime } = open
  await kernel.run(async () => {
    await Promise.all(Array.from({ length: 50 }, (_, at) => order(open, `guest ${at}`, 'tea')))
    runtime.stop()
    const { length } = kernel.trace
    await runtime.idle()
    const after = kernel.trace.slice(length)
    for (const what of ['relay: commands.send', 'view-store.advance'])
      expect(after.filter((key) => key.includes(what)).length).toBeLessThanOrEqual(1)
  })
  expect(Object.keys(await kernel.run(() => rowsOf(open, 'TAB'))).length).toBeLessThan(50)
})

describe.each(modes)('%s', (mode) => {
  const quiet = { processes: [], gateways: [], projections: [] }

  test('10,000 commands of one stream cost at most 200 commits', async () => {
    const open = bar({ mode, service: quiet })
    const answers = await open.kernel.run(() =>
      Promise.all(
        Array.from({ length: 10_000 }, (_, at) =>
          send(open, 'ann', { _tag: 'Order', drink: 'tea' }, `${at}`),
        ),
      ),
    )
    const { log } = open.runtime.ports
    expect(log.length).toBeLessThanOrEqual(200)
    expect(log.at(-1)?.version).toBe(10_000)
    expect(new Set(answers.map(({ commandId }) => commandId)).size).toBe(10_000)
  })

  test('a call that takes longer than any timeout is made once, and those of other streams go on meanwhile', async () => {
    const open = bar({ mode, keeper: slowly(2 * DAY_MS, 0) })
    const startMs = open.kernel.nowMs()
    const slow = Array.from({ length: 20 }, (_, at) => `slow guest ${at}`)
    await open.kernel.run(async () => {
      await Promise.all([...slow.map((id) => order(open, id, 'slow')), order(open, 'ann', 'tea')])
      for (let turn = 1; turn <= 3; turn += 1) {
        await open.kernel.sleep(20 * MINUTE_MS)
        await order(open, 'ann', `tea ${turn}`)
        // He waits behind a slow call of his own.
        if (turn === 1) await order(open, 'slow guest 0', 'water')
      }
      await open.runtime.idle()
    })
    const timesOf = (drink: string) =>
      open.calls.flatMap((call) => (call.drink === drink ? [call.atMs - startMs] : []))
    expect(timesOf('slow')).toEqual(slow.map(() => 0))
    expect(['tea', 'tea 1', 'tea 2', 'tea 3', 'water'].map(timesOf)).toEqual(
      [0, 20 * MINUTE_MS, 40 * MINUTE_MS, HOUR_MS, 2 * DAY_MS].map((time) => [time]),
    )
    expect(open.kernel.nowMs() - startMs).toBe(2 * DAY_MS)
    expect(open.runtime.deadLetters).toEqual([])
  })

  test('a slow call holds up no other that was asked for in the same turn, nor what follows on those streams', async () => {
    const open = bar({ mode, keeper: slowly(DAY_MS, MINUTE_MS) })
    await open.kernel.run(async () => {
      await Promise.all([order(open, 'ann', 'slow'), order(open, 'ben', 'tea'), order(open, 'cid', 'tea')])
      await open.kernel.sleep(SECOND_MS)
      // His first call is under way, so this one cannot be made yet, and nobody asks for anything more.
      await order(open, 'ben', 'milk')
      await open.kernel.sleep(HOUR_MS / 2)
      expect(tally(open, 'Served')).toEqual({ ben: ['tea', 'milk'], cid: ['tea'] })
      await open.runtime.idle()
      expect(tally(open, 'Served')).toMatchObject({ ann: ['slow'] })
    })
  })

  test('a refused command that a process asked for is heard by it', async () => {
    const open = bar({ mode })
    await open.kernel.run(async () => {
      await send(open, HOUSE, { _tag: 'Close' })
      await order(open, 'ann', 'round:tea')
      await open.runtime.idle()
    })
    expect(heard(open, 'Refused').map(({ tab: id }) => id)).toEqual(['ann'])
    expect(open.runtime.deadLetters).toEqual([])
  })

  test('a refused result of a call is not heard by the process that asked for what led to the call', async () => {
    const open = bar({ mode, keeper: pouringMore })
    await open.kernel.run(async () => {
      await order(open, 'ann', 'round:tea')
      await open.kernel.sleep(SECOND_MS)
      await send(open, HOUSE, { _tag: 'Close' })
      await open.runtime.idle()
    })
    const refused = open.runtime.ports.log.flatMap(({ stream, answers }) =>
      answers.flatMap(({ rejection }) => (rejection === undefined ? [] : [{ stream, rejection }])),
    )
    expect(refused).toEqual([{ stream: streamName('tab', HOUSE), rejection: { _tag: 'TabClosed' } }])
    expect(heard(open, 'Refused')).toEqual([])
  })

  test('what throws is buried, and holds up nothing else', async () => {
    const open = bar({ mode, keeper: bombing, service: { projections: [breaking] } })
    await open.kernel.run(async () => {
      await expect(order(open, 'ben', 'bomb')).rejects.toThrow('not total')
      await Promise.all([
        order(open, 'ann', 'round:bomb'),
        order(open, 'ben', 'tea'),
        order(open, 'cid', 'petrol'),
      ])
      await order(open, 'cid', 'milk')
      await open.runtime.idle()
    })
    expect(tally(open, 'Served')).toEqual({ ann: ['round:bomb'], ben: ['tea'], cid: ['milk'] })
    expect(Object.keys(await open.kernel.run(() => rowsOf(open, 'TAB'))).toSorted()).toEqual(['ben', 'cid'])
    const causes = open.runtime.deadLetters.map(
      ({ reason }) => (reason as { cause?: unknown }).cause ?? reason,
    )
    expect(causes.map(String).toSorted()).toEqual([
      'Error: a decider that is not total',
      'Error: a decider that is not total',
      'Error: a projection that is not total',
      'Error: a projection that is not total',
    ])
  })

  test('a history that does not decode is buried and holds up no other stream, until a reader comes that knows it', async () => {
    const first = bar({ mode })
    const { kernel } = first
    await kernel.run(async () => {
      first.runtime.stop()
      await order(first, 'ann', 'two words')
      await order(first, HOUSE, 'two words')
      await order(first, 'ben', 'tea')
    })
    const second = bar({ kernel, aggregate: tabs({ words: 1 }), ports: first.runtime.ports })
    await kernel.run(async () => {
      await second.runtime.idle()
      await order(second, 'cid', 'round:tea')
      await second.runtime.idle()
      const answered = await command(second, 'ann', { _tag: 'Close' })
      expect(answered).toMatchObject(E.left({ _tag: 'Undecodable', stream: streamName('tab', 'ann') }))
    })
    expect(tally(second, 'Served')).toEqual({ ben: ['tea'], cid: ['round:tea'] })
    expect(Object.keys(await kernel.run(() => rowsOf(second, 'TAB')))).toEqual(['ben', 'cid'])
    // Relay and projector meet both histories; the command is the host's, for the house.
    expect(
      second.runtime.deadLetters
        .map(({ reason }) => (reason as { readonly stream: string }).stream)
        .toSorted(),
    ).toEqual(['tab/ann', 'tab/ann', 'tab/house', 'tab/house', 'tab/house'])
    second.runtime.stop()
    const third = bar({ kernel, ports: first.runtime.ports })
    await kernel.run(third.runtime.idle)
    expect(tally(third, 'Served')).toEqual(tally(third, 'Ordered'))
    expect(third.runtime.deadLetters).toEqual([])
  })

  test('nothing is delivered after stop, and a new runtime over the same store delivers it', async () => {
    let down = true
    const keeper: Keeper = async ({ drink }, { sleep }) => {
      await sleep(SECOND_MS)
      return down ? E.left(unavailable('the barkeeper')) : served(drink)
    }
    const first = bar({ mode, keeper })
    const { kernel } = first
    await kernel.run(async () => {
      await order(first, 'ann', 'tea')
      await kernel.sleep(45 * SECOND_MS)
      first.runtime.stop()
      await order(first, 'ben', 'milk')
    })
    const before = [first.calls.length, first.runtime.ports.log.length]
    await kernel.settle(kernel.nowMs() + DAY_MS)
    expect([first.calls.length, first.runtime.ports.log.length]).toEqual(before)
    expect(first.calls.map(({ drink }) => drink)).toEqual(['tea', 'tea'])
    expect(await kernel.run(() => rowsOf(first, 'TAB'))).toEqual({ ann: { ordered: 1 } })
    down = false
    const second = bar({ kernel, keeper, ports: first.runtime.ports })
    await kernel.run(second.runtime.idle)
    expect(tally(second, 'Served')).toEqual({ ann: ['tea'], ben: ['milk'] })
    // Both waited longer than a guest does.
    expect(
      heard(second, 'Elapsed')
        .map(({ tab: id }) => id)
        .toSorted(),
    ).toEqual(['ann', 'ben'])
  })
})
