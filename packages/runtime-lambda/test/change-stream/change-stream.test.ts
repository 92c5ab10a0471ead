import { type ChangeStream, type Commit, E } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { dynamoChangeStream } from '../../src/change-stream/change-stream.ts'
import { instantClock } from '../instant-clock.ts'
import { must } from '../must.ts'
import { history, tally } from '../tally.ts'
import { type ScriptedShard, STREAM, scriptedStreams } from './scripted-streams.ts'

const HOUR_MS = 60 * 60_000

interface Setup {
  readonly shards: Array<ScriptedShard>
  readonly pages?: ReadonlyArray<number>
}

const setup = ({ shards, pages = [1000] }: Setup) => {
  const clock = instantClock()
  const turns = new Map<number, number>()
  const page = (at: number): number => {
    const turn = turns.get(at) ?? at
    turns.set(at, turn + 1)
    return pages[turn % pages.length] ?? 0
  }
  const client = scriptedStreams({ shards, clock, page })
  const reader = (): ChangeStream => dynamoChangeStream({ client, stream: STREAM, clock })
  return { clock, reader }
}

const shard = (id: string, sizes: number, parent?: string): ScriptedShard => ({
  id,
  ...(parent === undefined ? {} : { parent }),
  commits: history(
    tally(id),
    Array.from({ length: sizes }, () => ['x']),
  ),
  closed: false,
  dropped: 0,
})

const numbers = (commits: ReadonlyArray<Commit>): ReadonlyArray<string> =>
  commits.map(({ stream, number }) => `${stream}@${number}`)

interface Reading {
  readonly from?: string | undefined
  readonly limit: number
  /** How many commits there are to come; a few more pages are read, which have to be empty. */
  readonly until: number
  readonly passed?: (checkpoint: string, delivered: number) => void
}

const readAll = async (changes: ChangeStream, { from, limit, until, passed }: Reading) => {
  const commits: Array<Commit> = []
  let checkpoint = from
  for (let pages = 0, more = 3; pages < 200 && more > 0; pages += 1) {
    if (commits.length >= until) more -= 1
    const page = must(await changes.read(checkpoint, limit)())
    expect(page.commits.length).toBeLessThanOrEqual(limit)
    commits.push(...page.commits)
    ;({ checkpoint } = page)
    passed?.(checkpoint, commits.length)
  }
  return numbers(commits)
}

/** Shards in the order in which they were made, each perhaps a child of an earlier one, all parents closed. */
const lineage = fc
  .array(fc.record({ size: fc.nat(4), parent: fc.option(fc.nat(5)), closed: fc.boolean() }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((made) => {
    const shards = made.map(({ size, parent, closed }, at) => {
      const of = parent === null || at === 0 ? undefined : `shard-${parent % at}`
      return { ...shard(`shard-${at}`, size, of), closed }
    })
    for (const { parent } of shards) for (const one of shards) if (one.id === parent) one.closed = true
    return shards
  })

const pages = fc
  .array(fc.constantFrom(0, 1, 2, 1000), { minLength: 1, maxLength: 3 })
  .filter((sizes) => sizes.some((size) => size > 0))

const everyCommit = (shards: ReadonlyArray<ScriptedShard>) =>
  shards.flatMap(({ commits }) => numbers(commits))

describe('whatever shards there are', () => {
  const listed = lineage.chain((shards) => fc.shuffledSubarray(shards, { minLength: shards.length }))
  const limits = fc.integer({ min: 1, max: 12 })

  property.prop([listed, pages, limits], { numRuns: 60 })(
    'every commit is delivered once, a shard in its order, a parent before its children',
    async (shards, sizes, limit) => {
      const all = everyCommit(shards)
      const { reader } = setup({ shards, pages: sizes })
      const delivered = await readAll(reader(), { limit, until: all.length })
      expect([...delivered].toSorted()).toEqual(all.toSorted())
      const placesOf = (of: ScriptedShard | undefined) =>
        numbers(of?.commits ?? []).map((one) => delivered.indexOf(one))
      for (const one of shards) {
        expect(placesOf(one)).toEqual(placesOf(one).toSorted((before, after) => before - after))
        const parents = placesOf(shards.find(({ id }) => id === one.parent))
        expect(Math.max(-1, ...parents)).toBeLessThan(Math.min(...placesOf(one), Number.POSITIVE_INFINITY))
      }
    },
  )

  property.prop([lineage, pages, limits, fc.nat(), fc.boolean()], { numRuns: 80 })(
    'a reader goes on from any checkpoint, new or not, and misses nothing that it did not pass',
    async (shards, sizes, limit, choice, isNew) => {
      const all = everyCommit(shards)
      const { reader } = setup({ shards, pages: sizes })
      const checkpoints: Array<{ readonly from: string; readonly delivered: number }> = []
      const passed = (from: string, delivered: number) => checkpoints.push({ from, delivered })
      const changes = reader()
      const first = await readAll(changes, { limit, until: all.length, passed })
      const { from, delivered = 0 } = checkpoints[choice % checkpoints.length] ?? {}
      const again = isNew ? reader() : changes
      const rest = await readAll(again, { from, limit, until: all.length - delivered })
      expect([...rest].toSorted()).toEqual(first.slice(delivered).toSorted())
    },
  )
})

describe('a shard', () => {
  test('that is closed meanwhile is followed by its children', async () => {
    const parent = shard('parent', 2)
    const shards = [parent]
    const { reader, clock } = setup({ shards })
    const changes = reader()
    const first = must(await changes.read(undefined, 10)())
    parent.closed = true
    const ended = must(await changes.read(first.checkpoint, 10)())
    expect(ended.commits).toEqual([])
    shards.push(shard('child', 1, 'parent'))
    await clock.sleep(2000)
    const next = must(await changes.read(ended.checkpoint, 10)())
    expect(numbers(next.commits)).toEqual(['tally/child@1'])
    // Once the parent is listed no more, the checkpoint forgets it.
    shards.splice(0, 1)
    await clock.sleep(HOUR_MS)
    const later = must(await changes.read(next.checkpoint, 10)())
    expect(later.checkpoint).not.toContain('parent')
  })

  test('is read on with a new iterator where the old one has expired', async () => {
    const { reader, clock } = setup({ shards: [shard('one', 3)] })
    const changes = reader()
    const first = must(await changes.read(undefined, 2)())
    await clock.sleep(HOUR_MS)
    expect(numbers(must(await changes.read(first.checkpoint, 2)()).commits)).toEqual(['tally/one@3'])
  })
})

type Damage = (shards: Array<ScriptedShard>) => void

/** What a reader hears that goes on after the damage; a fresh one has kept nothing but its checkpoint. */
const lossOf = async (damage: Damage, afterMs: number, fresh: boolean) => {
  const shards = [shard('one', 5)]
  const { reader, clock } = setup({ shards })
  const changes = reader()
  const { checkpoint } = must(await changes.read(undefined, 2)())
  damage(shards)
  await clock.sleep(afterMs)
  return (fresh ? reader() : changes).read(checkpoint, 2)()
}

const dropFour: Damage = (shards) => {
  for (const one of shards) one.dropped = 4
}
const dropShard: Damage = (shards) => void shards.pop()

describe('what was dropped before it was read', () => {
  test.each([
    ['behind the checkpoint', dropFour, 0, true],
    ['behind an iterator', dropFour, 0, false],
    ['with its shard', dropShard, 0, true],
    ['with its shard, which was listed before', dropShard, HOUR_MS, false],
    ['in more than a day without a reader', () => {}, 25 * HOUR_MS, true],
  ] satisfies ReadonlyArray<readonly [string, Damage, number, boolean]>)(
    'is a fault that says what to do: %s',
    async (_, damage, afterMs, fresh) => {
      const read = await lossOf(damage, afterMs, fresh)
      expect(read).toMatchObject({
        _tag: 'Left',
        left: {
          _tag: 'Unavailable',
          what: expect.stringContaining('everfold republish --since 2025-12-31T00:00:00.'),
        },
      })
    },
  )

  test.each([
    ['that is still listed', false],
    ['that is listed no more', true],
  ])(
    'is a fault at the beginning of a shard, too, where its parent was read to its end: one %s',
    async (_, parentGoes) => {
      const shards = [{ ...shard('parent', 1), closed: true }, shard('child', 3, 'parent')]
      const { reader, clock } = setup({ shards })
      const { checkpoint } = must(await reader().read(undefined, 10)())
      for (const one of shards) if (one.parent !== undefined) one.dropped = 2
      if (parentGoes) shards.shift()
      await clock.sleep(5 * HOUR_MS)
      expect(await reader().read(checkpoint, 10)()).toMatchObject({
        left: { what: expect.stringContaining('records of child of') },
      })
    },
  )

  test('is a fault at the beginning of a shard that had no turn before its parent was listed no more', async () => {
    const shards = [{ ...shard('parent', 1), closed: true }, shard('child', 3, 'parent')]
    shards.push(shard('sibling', 3, 'parent'))
    const { reader, clock } = setup({ shards })
    const first = must(await reader().read(undefined, 1)())
    shards.shift()
    const second = must(await reader().read(first.checkpoint, 1)())
    expect(numbers(second.commits)).toEqual(['tally/child@1'])
    for (const one of shards) if (one.id === 'sibling') one.dropped = 2
    await clock.sleep(5 * HOUR_MS)
    expect(await reader().read(second.checkpoint, 10)()).toMatchObject({
      left: { what: expect.stringContaining('records of sibling of') },
    })
  })

  test('is not asked for by one who begins with more shards than a page has room for', async () => {
    const shards = ['one', 'two', 'three'].map((id) => shard(id, 3))
    for (const one of shards) one.dropped = 1
    const { reader } = setup({ shards })
    expect(await readAll(reader(), { limit: 1, until: 6 })).toHaveLength(6)
  })

  test('is not asked for by one who begins', async () => {
    const { reader } = setup({ shards: [{ ...shard('one', 5), dropped: 3 }] })
    expect(await readAll(reader(), { limit: 10, until: 2 })).toEqual(['tally/one@4', 'tally/one@5'])
  })
})

describe('a checkpoint', () => {
  test('stays the same while nothing comes, and is renewed now and then, so that it does not grow old', async () => {
    const { reader, clock } = setup({ shards: [shard('one', 1)] })
    const changes = reader()
    const first = must(await changes.read(undefined, 10)())
    const idle = must(await changes.read(first.checkpoint, 10)())
    expect(idle.checkpoint).toBe(first.checkpoint)
    let { checkpoint } = idle
    for (let hour = 0; hour < 30; hour += 1) {
      await clock.sleep(HOUR_MS)
      ;({ checkpoint } = must(await changes.read(checkpoint, 10)()))
    }
    expect(checkpoint).not.toBe(first.checkpoint)
  })

  test.each(['', '{}', '[]', '{"stream":"x","atMs":1,"shards":{"one":5}}'])(
    'that is none is a fault: %j',
    async (checkpoint) => {
      const read = await setup({ shards: [shard('one', 1)] })
        .reader()
        .read(checkpoint, 1)()
      expect(read).toMatchObject({ _tag: 'Left', left: { what: `the checkpoint of ${STREAM}` } })
    },
  )

  test('of another stream is a fault', async () => {
    const { reader, clock } = setup({ shards: [shard('one', 1)] })
    const checkpoint = JSON.stringify({ stream: 'another', atMs: clock.nowMs(), shards: {} })
    const read = await reader().read(checkpoint, 1)()
    expect(read).toMatchObject({ _tag: 'Left', left: { what: expect.stringContaining('is of another') } })
  })
})

test('a record that holds no commit stops the stream there, and says where it is', async () => {
  const broken = shard('one', 3)
  const commits = broken.commits.map((commit, at) => (at === 1 ? { ...commit, version: -1 } : commit))
  const { reader } = setup({ shards: [{ ...broken, commits }, shard('other', 1)] })
  const changes = reader()
  const first = must(await changes.read(undefined, 10)())
  expect(numbers(first.commits)).toEqual(['tally/one@1', 'tally/other@1'])
  for (const again of [changes, reader()])
    expect(await again.read(first.checkpoint, 10)()).toEqual(
      E.left({
        _tag: 'Undecodable',
        stream: tally('one'),
        commit: 2,
        errors: [{ pointer: '/Records/0/dynamodb/NewImage/v', detail: expect.any(String) }],
      }),
    )
})
