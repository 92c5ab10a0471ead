/** What every view store must do. */
import { E } from '../fp.ts'
import type { Generation, Row, RowQuery, Sources, ViewStore } from '../ports/view-store.ts'
import { type StreamName, streamName } from '../stream-name.ts'
import { eventually, holds, rightOf, type Suite, same, suite, type Time } from './suite.ts'

export interface ViewStoreHarness extends Time {
  readonly views: ViewStore
}

type Body = (harness: ViewStoreHarness, name: string) => Promise<void>
type Bodies = { readonly [title: string]: Body }

/** `run` tells this run's rows from those of others in the same tables. */
export const viewStoreSuite = (make: () => Promise<ViewStoreHarness>, run: string = 'run'): Suite =>
  suite(make, run, { ...rowCases, ...queryCases, ...generationCases })

const generationOf = (projection: string, generation = '1'): Generation => ({ projection, generation })
const one: StreamName = streamName('conformance', 'one')
const other: StreamName = streamName('conformance', 'other')

const rowOf = (pk: string, sk: string, value: string, sources: Sources = { [one]: 1 }): Row => ({
  pk,
  sk,
  value: { value },
  sources,
})

const put = async (
  { views }: ViewStoreHarness,
  generation: Generation,
  row: Row,
  expected?: Sources,
): Promise<'stored' | 'conflict'> => rightOf(await views.put(generation, row, expected)())

const rowCases: Bodies = {
  'a row reads back as it was put': async (harness, name) => {
    const generation = generationOf(name)
    const key = { pk: 'p#1', sk: 's/ünï 🦊' }
    same(rightOf(await harness.views.get(generation, key)()) ?? null, null, 'none before')
    const row: Row = {
      ...key,
      value: { deep: [1, null, { yes: true }], empty: {} },
      sources: { [one]: 3, [other]: 1 },
    }
    same(await put(harness, generation, row), 'stored', 'the first put')
    same(rightOf(await harness.views.get(generation, key)()), row, 'the row')
  },
  'a row is put only on the sources it was read with': async (harness, name) => {
    const generation = generationOf(name)
    const tryPut = async (value: string, sources: Sources, expected?: Sources) =>
      put(harness, generation, rowOf('p', 's', value, sources), expected)
    same(await tryPut('a', { [one]: 1 }, { [one]: 1 }), 'conflict', 'there is no row yet')
    same(await tryPut('b', { [one]: 1 }), 'stored', 'the first')
    same(await tryPut('c', { [one]: 2 }), 'conflict', 'there is a row now')
    same(await tryPut('d', { [one]: 2 }, { [one]: 2 }), 'conflict', 'another number')
    same(await tryPut('e', { [one]: 2 }, { [other]: 1 }), 'conflict', 'another stream')
    same(await tryPut('f', { [one]: 2 }, { [one]: 1, [other]: 1 }), 'conflict', 'a stream more')
    same(await tryPut('g', { [one]: 1, [other]: 7 }, { [one]: 1 }), 'stored', 'as it was read')
    same(await tryPut('h', { [one]: 2, [other]: 7 }, { [one]: 1 }), 'conflict', 'a stream less')
    same(await tryPut('i', { [one]: 2, [other]: 7 }, { [other]: 7, [one]: 1 }), 'stored', 'in any order')
    const row = rightOf(await harness.views.get(generation, { pk: 'p', sk: 's' })())
    same(row?.value, { value: 'i' }, 'what was stored last')
  },
  'of writers who read the same row exactly one stores it': async (harness, name) => {
    const generation = generationOf(name)
    const race = async (expected: Sources | undefined, number: number) => {
      const rivals = Array.from({ length: 6 }, (_, rival) =>
        put(harness, generation, rowOf('p', 's', `${rival}`, { [one]: number }), expected),
      )
      const outcomes = await Promise.all(rivals)
      same(outcomes.filter((outcome) => outcome === 'stored').length, 1, 'one winner')
      const row = rightOf(await harness.views.get(generation, { pk: 'p', sk: 's' })())
      same(row?.value, { value: `${outcomes.indexOf('stored')}` }, 'the winner’s row')
    }
    await race(undefined, 1)
    await race({ [one]: 1 }, 2)
  },
  'a deleted row leaves a tombstone that keeps its numbers': async (harness, name) => {
    const generation = generationOf(name)
    await put(harness, generation, rowOf('p', 's', 'a'))
    const tombstone: Row = { pk: 'p', sk: 's', sources: { [one]: 2 } }
    same(await put(harness, generation, tombstone, { [one]: 1 }), 'stored', 'the deletion')
    same(rightOf(await harness.views.get(generation, { pk: 'p', sk: 's' })()), tombstone, 'the tombstone')
    same(await put(harness, generation, rowOf('p', 's', 'late')), 'conflict', 'as if there was nothing')
    same(
      await put(harness, generation, rowOf('p', 's', 'late'), { [one]: 1 }),
      'conflict',
      'a late duplicate',
    )
    const again = rowOf('p', 's', 'again', { [one]: 3 })
    same(await put(harness, generation, again, { [one]: 2 }), 'stored', 'put again after it')
  },
  'whoever holds a row cannot change what is stored': async (harness, name) => {
    const generation = generationOf(name)
    const row = rowOf('p', 's', 'a')
    await put(harness, generation, row)
    for (const held of [row, rightOf(await harness.views.get(generation, { pk: 'p', sk: 's' })())])
      try {
        Object.assign((held?.value ?? {}) as object, { value: 'forged' })
      } catch {
        continue
      }
    const stored = rightOf(await harness.views.get(generation, { pk: 'p', sk: 's' })())
    same(stored, rowOf('p', 's', 'a'), 'as it was put')
  },
}

/** The sort keys of all pages of a query. */
const selected = async (
  { views }: ViewStoreHarness,
  generation: Generation,
  query: RowQuery,
): Promise<ReadonlyArray<string>> => {
  const keys: Array<string> = []
  let after: string | undefined
  do {
    const page = rightOf(await views.query(generation, after === undefined ? query : { ...query, after })())
    holds(page.rows.length <= query.limit, `a page has at most ${query.limit} rows`)
    keys.push(...page.rows.map(({ pk, sk }) => (query.index === 'inverted' ? pk : sk)))
    after = page.after
  } while (after !== undefined)
  return keys
}

const queryCases: Bodies = {
  'a query gives the rows of its partition in the order of their UTF-8 bytes, in pages of any length': async (
    harness,
    name,
  ) => {
    const generation = generationOf(name)
    const keys = ['~', 'b#2', 'a', 'B', 'b#10', 'ü', '\u{1f98a}', '\uff5e', 'b', 'b#1']
    for (const sk of keys) await put(harness, generation, rowOf('p', sk, sk))
    await put(harness, generation, rowOf('q', 'c', 'of another partition'))
    const sorted = ['B', 'a', 'b', 'b#1', 'b#10', 'b#2', '~', 'ü', '\uff5e', '\u{1f98a}']
    for (const limit of [1, 3, 10, 50]) {
      const query = { pk: 'p', limit }
      same(await selected(harness, generation, query), sorted, `upwards by ${limit}`)
      const down = await selected(harness, generation, { ...query, descending: true })
      same(down, sorted.toReversed(), `downwards by ${limit}`)
    }
    same(await selected(harness, generation, { pk: 'none', limit: 5 }), [], 'an empty partition')
  },
  'a query starts after a sort key, whether or not there is such a row': async (harness, name) => {
    const generation = generationOf(name)
    for (const sk of ['a', 'c', 'e']) await put(harness, generation, rowOf('p', sk, sk))
    const query = async (after: string, descending: boolean) => {
      const page = rightOf(await harness.views.query(generation, { pk: 'p', after, limit: 9, descending })())
      return page.rows.map(({ sk }) => sk).join('')
    }
    same(await query('a', false), 'ce', 'upwards after a row')
    same(await query('b', false), 'ce', 'upwards between rows')
    same(await query('e', false), '', 'upwards after the last')
    same(await query('e', true), 'ca', 'downwards after a row')
    same(await query('d', true), 'ca', 'downwards between rows')
    same(await query('a', true), '', 'downwards after the first')
  },
  'a prefix selects the sort keys that begin with it': async (harness, name) => {
    const generation = generationOf(name)
    for (const sk of ['a', 'line', 'line#1', 'line#2', 'line#\uffff', 'lines', 'm'])
      await put(harness, generation, rowOf('p', sk, sk))
    for (const limit of [1, 2, 9]) {
      const query = { pk: 'p', skPrefix: 'line#', limit }
      same(
        await selected(harness, generation, query),
        ['line#1', 'line#2', 'line#\uffff'],
        `upwards by ${limit}`,
      )
      const down = await selected(harness, generation, { ...query, descending: true })
      same(down, ['line#\uffff', 'line#2', 'line#1'], `downwards by ${limit}`)
    }
  },
  'tombstones are left out, and pages go on behind them': async (harness, name) => {
    const generation = generationOf(name)
    for (const sk of ['a', 'b', 'c', 'd', 'e']) await put(harness, generation, rowOf('p', sk, sk))
    for (const sk of ['b', 'c', 'e'])
      await put(harness, generation, { pk: 'p', sk, sources: { [one]: 2 } }, { [one]: 1 })
    for (const limit of [1, 2, 5])
      same(await selected(harness, generation, { pk: 'p', limit }), ['a', 'd'], `by ${limit}`)
  },
  'the inverted index exchanges the roles of the keys': async (harness, name) => {
    const generation = generationOf(name)
    for (const pk of ['order#2', 'order#1', 'user#1']) await put(harness, generation, rowOf(pk, 'x', pk))
    await put(harness, generation, rowOf('order#3', 'y', 'elsewhere'))
    const query = { index: 'inverted', pk: 'x', skPrefix: 'order#', limit: 1 } as const
    await eventually(harness, 'the rows in the index', async () => {
      const keys = await selected(harness, generation, query)
      return keys.join() === 'order#1,order#2' ? true : undefined
    })
  },
}

const progresses = async (views: ViewStore, generation: Generation): Promise<Record<string, number>> => {
  const all: Record<string, number> = {}
  let cursor: string | undefined
  do {
    const page = rightOf(await views.progresses(generation, cursor)())
    for (const { stream, commit } of page.streams) {
      holds(!Object.hasOwn(all, stream), `${stream} is listed once`)
      all[stream] = commit
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return all
}

const generationCases: Bodies = {
  'rows of generations and projections never meet': async (harness, name) => {
    const alike = [generationOf(name, '1#a'), generationOf(`${name}#1`, 'a')]
    const generations = [generationOf(name), generationOf(name, '2'), generationOf(`${name}1`), ...alike]
    for (const [at, generation] of generations.entries())
      same(await put(harness, generation, rowOf('p', 's', `${at}`)), 'stored', `the row of ${at}`)
    for (const [at, generation] of generations.entries()) {
      const row = rightOf(await harness.views.get(generation, { pk: 'p', sk: 's' })())
      same(row?.value, { value: `${at}` }, `the row of ${at}`)
    }
  },
  'progress never goes back': async ({ views }, name) => {
    const generation = generationOf(name)
    same(rightOf(await views.progress(generation, one)()), 0, 'none yet')
    for (const [commit, expected] of [
      [3, 3],
      [2, 3],
      [3, 3],
      [7, 7],
      [1, 7],
    ] as const) {
      rightOf(await views.advance(generation, one, commit)())
      same(rightOf(await views.progress(generation, one)()), expected, `after ${commit}`)
    }
    await Promise.all([9, 12, 8, 11, 10].map((commit) => views.advance(generation, one, commit)()))
    same(rightOf(await views.progress(generation, one)()), 12, 'the greatest of a race')
    same(rightOf(await views.progress(generation, other)()), 0, 'of another stream')
    same(rightOf(await views.progress(generationOf(name, '2'), one)()), 0, 'of another generation')
  },
  'all streams that a generation has taken in are listed, each once and with its newest progress': async (
    harness,
    name,
  ) => {
    const { views } = harness
    const generation = generationOf(name)
    same(await progresses(views, generation), {}, 'none yet')
    const streams = Array.from({ length: 230 }, (_, at) => streamName('conformance', `${name}/${at}`))
    for (const commit of [1, 2])
      await Promise.all(
        streams.map(async (stream, at) =>
          rightOf(await views.advance(generation, stream, commit * (1 + at))()),
        ),
      )
    rightOf(await views.advance(generationOf(name, '2'), other, 9)())
    await put(harness, generation, rowOf('p', 's', 'a row'))
    const expected = Object.fromEntries(streams.map((stream, at) => [stream, 2 * (1 + at)]))
    same(await progresses(views, generation), expected, 'of this generation')
    same(await progresses(views, generationOf(name, '2')), { [other]: 9 }, 'of the other one')
  },
  'readers read the generation that was activated last': async ({ views }, name) => {
    same(rightOf(await views.active(name)()) ?? null, null, 'none at first')
    for (const generation of ['1', '2']) {
      rightOf(await views.activate(generationOf(name, generation))())
      same(rightOf(await views.active(name)()), generation, generation)
    }
  },
  'dropping a generation removes its rows, tombstones and progress, and no other’s': async (
    harness,
    name,
  ) => {
    const { views } = harness
    const [old, kept] = [generationOf(name), generationOf(name, '2')]
    for (const generation of [old, kept]) {
      for (let at = 0; at < 30; at += 1) await put(harness, generation, rowOf('p', `s${at}`, `${at}`))
      await put(harness, generation, { pk: 'p', sk: 'dead', sources: { [one]: 2 } })
      rightOf(await views.advance(generation, one, 5)())
    }
    rightOf(await views.activate(kept)())
    rightOf(await views.drop(old)())
    same(await selected(harness, old, { pk: 'p', limit: 100 }), [], 'no rows')
    same(rightOf(await views.get(old, { pk: 'p', sk: 'dead' })()) ?? null, null, 'no tombstone')
    same(rightOf(await views.progress(old, one)()), 0, 'no progress')
    same(await progresses(views, old), {}, 'no progress listed')
    same((await selected(harness, kept, { pk: 'p', limit: 100 })).length, 30, 'the other’s rows')
    same(rightOf(await views.progress(kept, one)()), 5, 'the other’s progress')
    same(E.isRight(await views.drop(old)()), true, 'dropping it again is nothing')
  },
}
