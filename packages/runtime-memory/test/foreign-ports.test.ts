import {
  type ChangeStream,
  type Commit,
  deriveId,
  E,
  type EventStore,
  envelope,
  part,
  streamName,
  unavailable,
} from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { type MemoryEventStore, outside, type VirtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { bar, eventsOf, type Foreign, heard, order, PATIENCE_MS, rowsOf, send, tab } from './bar.ts'
import {
  anyEvening,
  anyRun,
  effectsOf,
  evening,
  expectServedInAnyOrder,
  keeperOf,
  orderAll,
  SECOND_MS,
} from './evening.ts'

/** No more than the port has. */
const portOf = (store: MemoryEventStore): EventStore => {
  const { log: _, subscribe: __, ...port } = store
  return port
}

/** A change stream that gives commits late, twice and out of order, and now and then nothing though it has some. */
const reluctant = (
  { log, subscribe }: MemoryEventStore,
  kernel: VirtualKernel,
  { lateMs, empty }: { readonly lateMs: number; readonly empty: number },
): ChangeStream => {
  const perform = kernel.port('change-stream')
  const seenMs = log.map(() => kernel.nowMs())
  subscribe(() => {
    while (seenMs.length < log.length) seenMs.push(kernel.nowMs() + Math.floor(kernel.random() * lateMs))
  })
  return {
    read: (checkpoint, limit) => () =>
      perform('read', checkpoint ?? 'oldest', () => {
        const given = new Set(
          (checkpoint ?? '')
            .split(',')
            .filter((one) => one !== '')
            .map(Number),
        )
        const ready = log.flatMap((_, at) =>
          !given.has(at) && (seenMs[at] ?? 0) <= kernel.nowMs() ? [at] : [],
        )
        const now = kernel.random() < empty ? [] : ready.slice(0, limit).toReversed()
        const commits = now.flatMap((at) => [log[at] as Commit])
        const again = kernel.random() < 0.2 ? commits.slice(0, 1) : []
        return E.right({ commits: [...commits, ...again], checkpoint: [...given, ...now].join(',') })
      }),
  }
}

/** A store whose appends fail before they are applied, or after it. */
const doubtful = (store: EventStore, kernel: VirtualKernel, rate: number): EventStore => ({
  ...store,
  append: (commit) => async () => {
    const lot = kernel.random()
    if (lot < rate / 2) return E.left({ _tag: 'OutcomeUnknown' })
    const outcome = await store.append(commit)()
    return lot < rate ? E.left({ _tag: 'OutcomeUnknown' }) : outcome
  },
})

const elsewhere =
  (trouble: { readonly lateMs: number; readonly empty: number; readonly rate: number }): Foreign =>
  (store, kernel) => ({
    store: doubtful(portOf(store), kernel, trouble.rate),
    changes: reluctant(store, kernel, trouble),
  })

const anyTrouble = fc.record({
  lateMs: fc.constantFrom(0, 10, 500),
  empty: fc.constantFrom(0, 0.3, 0.6),
  rate: fc.constantFrom(0, 0.1, 0.4),
})
const quiet = { lateMs: 0, empty: 0, rate: 0 }

/** Nobody else appends, so there is nothing to look for on virtual time. */
const alone = { pollMs: Number.POSITIVE_INFINITY }

/** The first append is stored, and nobody is told. */
const lost: Foreign = (store, kernel) => {
  let first = true
  const port = portOf(store)
  return {
    changes: reluctant(store, kernel, { lateMs: 400, empty: 0 }),
    store: {
      ...port,
      append: (commit) => async () => {
        const outcome = await port.append(commit)()
        const answer = first ? E.left({ _tag: 'OutcomeUnknown' as const }) : outcome
        first = false
        return answer
      },
    },
  }
}

describe('a runtime on ports that cannot tell of appends', () => {
  property.prop([...anyRun, anyTrouble], { numRuns: 60 })(
    'is idle only when all that was set off has been delivered, each once',
    async (wishes, seed, mode, trouble) => {
      const open = await evening(wishes, { seed, mode, foreign: elsewhere(trouble), ...alone })
      const { length } = open.runtime.ports.log
      const calls = open.calls.length
      await expectServedInAnyOrder(open)
      await open.kernel.settle(open.kernel.nowMs() + PATIENCE_MS / 2)
      expect([open.runtime.ports.log.length, open.calls.length]).toEqual([length, calls])
    },
  )
  property.prop([...anyRun, fc.nat({ max: 120 })], { numRuns: 40 })(
    'is carried on by another, in which its queues and timers begin anew',
    async (wishes, seed, mode, afterSeconds) => {
      const foreign = elsewhere({ lateMs: 50, empty: 0.3, rate: 0.1 })
      const first = bar({ seed, mode, keeper: keeperOf(wishes), foreign, ...alone })
      const { kernel, runtime } = first
      await kernel.run(async () => {
        const ordering = orderAll(first, wishes)
        await kernel.sleep((afterSeconds + 0.5) * SECOND_MS)
        runtime.stop()
        await ordering
        await runtime.idle()
      })
      const ports = { store: runtime.ports.store, views: runtime.ports.views }
      const second = bar({ kernel, keeper: keeperOf(wishes), ports, foreign, ...alone })
      await kernel.run(second.runtime.idle)
      await expectServedInAnyOrder(second)
    },
  )
  property.prop([anyEvening, fc.nat()], { numRuns: 20 })(
    'has the effects that one in memory has',
    async (wishes, seed) => {
      const [here, there] = await Promise.all([
        evening(wishes, { seed, mode: 'immediate' }),
        evening(wishes, { seed, mode: 'immediate', foreign: elsewhere(quiet), ...alone }),
      ])
      const events = (open: typeof here) =>
        effectsOf(open)
          .map(({ stream, events: all }) => JSON.stringify([stream, all]))
          .toSorted()
      expect(events(there).length).toBe(events(here).length)
    },
  )
  test('sets the timers of an earlier one again, and those that are past go off', async () => {
    const first = bar({
      mode: 'immediate',
      keeper: () => new Promise(() => {}),
      foreign: elsewhere(quiet),
      ...alone,
    })
    const { kernel, runtime } = first
    await kernel.run(() => order(first, 'ann', 'tea'))
    await kernel.settle(kernel.nowMs() + SECOND_MS)
    runtime.stop()
    await kernel.settle(kernel.nowMs() + 2 * PATIENCE_MS)
    expect(heard(first, 'Elapsed')).toEqual([])
    const { store, views } = runtime.ports
    const second = bar({ kernel, ports: { store, views }, foreign: elsewhere(quiet), ...alone })
    await kernel.run(second.runtime.idle)
    expect(heard(second, 'Elapsed').map(({ tab: id }) => id)).toEqual(['ann'])
    expect(eventsOf(second, 'tab').map(({ event }) => event._tag)).toContain('Closed')
  })
  test.each([
    { pollMs: 150, found: true },
    { pollMs: Number.POSITIVE_INFINITY, found: false },
  ])('looks for what others append every $pollMs ms', async ({ pollMs, found }) => {
    const first = bar({ mode: 'immediate', foreign: elsewhere(quiet), pollMs })
    const { kernel, runtime } = first
    await kernel.run(runtime.idle)
    const { store } = runtime.ports
    const other = bar({ kernel, service: { projections: [], processes: [], gateways: [] }, ports: { store } })
    await kernel.run(() => send(other, 'ann', { _tag: 'Order', drink: 'tea' }))
    await kernel.settle(kernel.nowMs() + 200)
    expect(first.calls.length).toBe(found ? 1 : 0)
    runtime.stop()
    const reads = kernel.trace.length
    await kernel.settle(kernel.nowMs() + 10 * SECOND_MS)
    expect(kernel.trace.length - reads).toBeLessThan(20)
  })
  test.each([
    { ports: 'of memory', more: {} },
    {
      ports: 'that cannot tell',
      more: { foreign: elsewhere({ lateMs: 300, empty: 0.3, rate: 0 }), ...alone },
    },
  ])('is idle when what a transaction set off has been delivered, on ports $ports', async ({ more }) => {
    const open = bar({ mode: 'immediate', ...more })
    const { kernel, runtime } = open
    await kernel.run(async () => {
      await runtime.idle()
      const orders = ['ann', 'ben'].map((id) => {
        const member = envelope(valid(tab.command)({ _tag: 'Order', drink: 'tea' }), {
          id: deriveId(kernel.nowMs(), 'a round'),
          timeMs: kernel.nowMs(),
        })
        return part(tab, streamName('tab', id), member)
      })
      expect(await runtime.together(orders)()).toMatchObject(E.right({ _tag: 'Right' }))
      await runtime.idle()
    })
    await expectServedInAnyOrder(open)
    expect(open.calls.length).toBe(2)
  })
  test('waits for a commit whose acknowledgement was lost, as soon as it is known to be there', async () => {
    const open = bar({ mode: 'immediate', seed: 3, foreign: lost, ...alone })
    await open.kernel.run(async () => {
      // Begun, it reads on for what it knows of alone.
      await open.runtime.idle()
      await order(open, 'ann', 'tea')
      await open.runtime.idle()
    })
    await expectServedInAnyOrder(open)
    expect(open.calls.length).toBe(1)
  })
})

/** Real time passes in each call. */
const slow = <Port extends object>(port: Port): Port =>
  Object.fromEntries(
    Object.entries(
      port as { readonly [name: string]: (...of: ReadonlyArray<unknown>) => () => Promise<unknown> },
    ).map(([name, call]) => [
      name,
      (...of: ReadonlyArray<unknown>) =>
        async () => {
          await new Promise((resolve) => void setImmediate(resolve))
          return call(...of)()
        },
    ]),
  ) as Port

const remote: Foreign = (store, kernel) => ({
  store: outside(kernel, slow(portOf(store))),
  changes: outside(kernel, slow(reluctant(store, kernel, quiet))),
})

describe('real ports under virtual time', () => {
  property.prop([anyEvening, fc.nat()], { numRuns: 20 })(
    'keep everything else waiting while they work',
    async (wishes, seed) => {
      const open = await evening(wishes, { seed, mode: 'immediate', foreign: remote, ...alone })
      await expectServedInAnyOrder(open)
    },
  )
  test('that fail are tried again', async () => {
    let down = true
    const failing: Foreign = (store, kernel) => {
      const { store: port, changes } = remote(store, kernel)
      return {
        store: port,
        changes: outside(kernel, {
          read: (...asked) => (down ? async () => E.left(unavailable('the stream')) : changes.read(...asked)),
        }),
      }
    }
    const open = bar({ mode: 'immediate', foreign: failing, ...alone })
    await open.kernel.run(async () => {
      await order(open, 'ann', 'tea')
      open.kernel.at(open.kernel.nowMs() + 5 * SECOND_MS, 'the stream is back', () => {
        down = false
      })
      await open.runtime.idle()
    })
    await expectServedInAnyOrder(open)
    expect(await rowsOf(open, 'DRINK')).toEqual({ tea: { ordered: 1, served: 1 } })
  })
})
