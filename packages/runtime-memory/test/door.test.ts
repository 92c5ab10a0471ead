import { type ChangeStream, E, from, query, rebuild, record, type Service, unseal } from '@everfold/core'
import { type MemoryPorts, memoryDoor, readerOf } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type Bar, bar, Drink, drinksOf, order, send, tab } from './bar.ts'

const rightOf = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return answer.right
}

/** Ann has had tea and milk, Ben is gone. */
const opened = async (service: Partial<Service> = {}): Promise<Bar> => {
  const open = bar({ mode: 'immediate', service })
  for (const drink of ['tea', 'milk']) await order(open, 'ann', drink)
  await order(open, 'ben', 'tea')
  await open.runtime.idle()
  await send(open, 'ben', { _tag: 'Close' })
  await open.runtime.idle()
  return open
}

describe('a reader', () => {
  test('folds a stream up to its newest commit, and nothing to the initial state', async () => {
    const { state } = readerOf((await opened()).runtime)
    expect(await state(tab, 'ann')).toEqual(
      E.right({ state: { ordered: 2, served: 2, standing: 'open' }, commit: 4 }),
    )
    expect(await state(tab, 'nobody')).toEqual(E.right({ state: tab.initial, commit: 0 }))
  })
  test("sees only its own tenant's streams", async () => {
    const { state, history } = readerOf((await opened()).runtime, 'acme')
    expect(await state(tab, 'ann')).toEqual(E.right({ state: tab.initial, commit: 0 }))
    expect(await history(tab, 'ann', { after: 0, limit: 10 })).toEqual(E.right({ events: [] }))
  })
  test('tells a history page by page, oldest first', async () => {
    const { history } = readerOf((await opened()).runtime)
    const told: Array<string> = []
    const pages: Array<number> = []
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: {
        readonly events: ReadonlyArray<{ readonly event: { readonly _tag: string } }>
        readonly next?: number
      } = rightOf(await history(tab, 'ann', { after, limit: 3 }))
      told.push(...page.events.map(({ event }) => event._tag))
      pages.push(page.events.length)
      after = page.next
    }
    expect(told.toSorted()).toEqual(['Ordered', 'Ordered', 'Served', 'Served'])
    expect(pages).toEqual([3, 1])
  })
  test('reads rows by key and in order, and none that was deleted', async () => {
    const { row, rows } = readerOf((await opened()).runtime)
    expect(await row('drinks', { pk: 'TAB', sk: 'ann' })).toEqual(E.right({ ordered: 2, served: 2 }))
    expect(await row('drinks', { pk: 'TAB', sk: 'ben' })).toEqual(E.right(undefined))
    const first = rightOf(await rows('drinks', { pk: 'DRINK', limit: 1 }))
    expect(first).toEqual({
      rows: [{ pk: 'DRINK', sk: 'milk', value: { ordered: 1, served: 1 } }],
      after: 'milk',
    })
    expect(await rows('drinks', { pk: 'DRINK', limit: 1, after: 'milk' })).toEqual(
      E.right({ rows: [{ pk: 'DRINK', sk: 'tea', value: { ordered: 2, served: 2 } }] }),
    )
  })
  test('knows no view that the service has not', async () => {
    const { row, rows } = readerOf((await opened()).runtime)
    expect(await row('food', { pk: 'TAB', sk: 'ann' })).toMatchObject(E.left({ _tag: 'Unavailable' }))
    expect(await rows('food', { pk: 'TAB', limit: 1 })).toMatchObject(E.left({ _tag: 'Unavailable' }))
  })
  test("seals under the subject's key, which opens it until it is destroyed", async () => {
    const { runtime } = await opened()
    const sealed = rightOf(await readerOf(runtime).seal('ann', 'tea'))
    expect(JSON.stringify(sealed)).not.toContain('tea')
    expect(await unseal(runtime.ports.keys)(Drink, sealed)()).toEqual(E.right('tea'))
    await runtime.ports.keys.destroy('ann')()
    expect(await readerOf(runtime).seal('ann', 'tea')).toEqual(E.left({ _tag: 'Erased', subject: 'ann' }))
  })
})

describe('the generations of a view', () => {
  test('are read as listed last until one is activated, and then that one', async () => {
    const { runtime } = await opened({ projections: [{ ...drinksOf(tab, '2'), sources: [] }, drinksOf(tab)] })
    const { row } = readerOf(runtime)
    const ann = { pk: 'TAB', sk: 'ann' }
    const next = { projection: 'drinks', generation: '2' }
    await runtime.ports.views.put(next, { ...ann, value: 'next', sources: {} }, undefined)()
    expect(await row('drinks', ann)).toEqual(E.right({ ordered: 2, served: 2 }))
    await runtime.ports.views.activate(next)()
    expect(await row('drinks', ann)).toEqual(E.right('next'))
  })
  test('are waited for only where the one that is read takes the stream in', async () => {
    const jug = { ...tab, name: 'jug' }
    const next = { ...drinksOf(tab, '2'), sources: [from(jug, () => [])] }
    const nothing = record('Nothing', {})
    const route = query({
      path: '/bar/drinks',
      summary: 'All drinks.',
      access: 'public',
      params: nothing,
      query: nothing,
      replies: { status: 200 },
      reads: ['drinks'],
      answer: async () => E.right({}),
    })
    const { runtime, kernel } = await opened({ projections: [next, drinksOf(tab)], routes: [route] })
    const door = memoryDoor(runtime, { authenticate: async () => E.right(undefined), hooks: {} })
    const get = (position: string) =>
      kernel.run(() =>
        door({
          method: 'GET',
          url: '/bar/drinks',
          headers: { 'everfold-position': position },
          body: new Uint8Array(),
        }),
      )
    expect(await get('jug/ann@1')).toMatchObject({ status: 200 })
    expect(await get('tab/ann@4')).toMatchObject({ status: 200 })
    expect(await get('tab/ann@5')).toMatchObject({ status: 503 })
  })
  property.prop([fc.nat(), fc.nat({ max: 12 }), fc.nat({ max: 12 }), fc.integer({ min: 1, max: 4 })], {
    numRuns: 40,
  })(
    'a rebuilt generation equals the live one while commands keep coming',
    async (seed, before, meanwhile, segments) => {
      const open = bar({ seed })
      const { kernel } = open
      const { ports } = open.runtime
      const orders = (first: number, count: number) =>
        Array.from({ length: count }, async (_, at) => {
          await kernel.sleep(kernel.random() * 20)
          return kernel.as(`guest ${first + at}`, () => order(open, `tab ${at % 5}`, `drink ${at % 3}`))
        })
      await kernel.run(async () => {
        await Promise.all(orders(0, before))
        const next = drinksOf(tab, '2')
        const service = { aggregates: [], processes: [], gateways: [], projections: [next] }
        const feed = bar({ kernel, service, ports: { ...ports, changes: await fromNow(ports) } })
        const rebuilding = rebuild(
          next,
          { ...ports, clock: kernel },
          { segments, listed: [next, drinksOf(tab)] },
        )()
        await Promise.all(orders(before, meanwhile))
        const rebuilt = rightOf(await rebuilding)
        expect(rebuilt._tag).toBe('Switched')
        expect(rebuilt.progress.commits).toBeGreaterThanOrEqual(before)
        expect(await ports.views.active('drinks')()).toEqual(E.right('2'))
        await open.runtime.idle()
        await feed.runtime.idle()
        for (const pk of ['TAB', 'DRINK'])
          expect(await rows(ports, '2', pk)).toEqual(await rows(ports, '1', pk))
      })
    },
  )
})

/** What is appended from now on, and nothing that was before. */
const fromNow = async ({ changes, log }: MemoryPorts): Promise<ChangeStream> => {
  const { checkpoint } = rightOf(await changes.read(undefined, log.length + 1000)())
  return { read: (after = checkpoint, limit) => changes.read(after, limit) }
}

const rows = async ({ views }: MemoryPorts, generation: string, pk: string) =>
  rightOf(await views.query({ projection: 'drinks', generation }, { pk, limit: 1000 })())
