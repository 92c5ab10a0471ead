import { type Commit, E, streamName, unavailable } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { Outcome, WorkBatch } from '../../src/consumers/batch.ts'
import { republish } from '../../src/operations/republish.ts'
import { must } from '../must.ts'
import { history, tally } from '../tally.ts'
import { storeOf } from './log.ts'

const placeOf = ({ stream, number }: Pick<Commit, 'stream' | 'number'>): string => `${stream}@${number}`

const TOO_LARGE = { _tag: 'TooLarge', stream: tally('a'), sizeBytes: 2, limitBytes: 1 } as const

interface Bus {
  readonly taken: Array<string>
  readonly publish: WorkBatch
}

/** Takes commits as the relay does: nothing is said of what is behind the first that fails, and may be said of some. */
const busOf = (refuses: (place: string) => boolean): Bus => {
  const taken: Array<string> = []
  const publish: WorkBatch = async (commits) => {
    let failed = false
    return commits.map((commit): Outcome => {
      if (failed) return undefined
      failed = refuses(placeOf(commit))
      if (failed) return E.left(TOO_LARGE)
      taken.push(placeOf(commit))
      return E.right(undefined)
    })
  }
  return { taken, publish }
}

const anyLog = fc
  .array(fc.array(fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }), { maxLength: 12 }), { maxLength: 5 })
  .map((streams) =>
    streams
      .flatMap((notes, at) => history(tally(String(at)), notes))
      .concat(history(streamName('other', 'a'), [['x'], ['y']])),
  )

/** One of the tallies, and whatever is none. */
const broken = ({ stream, number }: Commit) =>
  (stream === tally('b') && number === 1) || stream.startsWith('other/')
    ? ({ _tag: 'Undecodable', stream, commit: number, errors: [] } as const)
    : undefined

const silent: WorkBatch = async (commits) => commits.map(() => undefined)

describe('publishing from the log', () => {
  property.prop([
    anyLog,
    fc.nat({ max: 14 }),
    fc.nat({ max: 14 }),
    fc.nat({ max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.func(fc.nat({ max: 5 })),
  ])(
    'publishes every commit of the time and category once, and names each that the bus does not take',
    async (log, since, length, waitedMs, segments, chance) => {
      const start = 1_767_225_600_000
      const sinceMs = start + since
      const untilMs = sinceMs + length
      const bus = busOf((place) => chance(place) === 0)
      const options = { sinceMs, untilMs, waitedMs, category: 'tally', segments }
      const seen: Array<number> = []
      const done = must(
        await republish(
          { store: storeOf(log, 3), publish: bus.publish },
          options,
        )((count) => seen.push(count))(),
      )
      const wanted = log.filter(
        ({ stream, timeMs }) =>
          stream.startsWith('tally/') && timeMs >= sinceMs - waitedMs && timeMs <= untilMs,
      )
      const failed = done.failures.map(({ stream, commit }) => placeOf({ stream, number: commit }))
      expect(failed.toSorted()).toEqual(
        wanted
          .map(placeOf)
          .filter((place) => chance(place) === 0)
          .toSorted(),
      )
      expect([...bus.taken, ...failed].toSorted()).toEqual(wanted.map(placeOf).toSorted())
      const taken = wanted.filter((commit) => bus.taken.includes(placeOf(commit)))
      const events = taken.flatMap(({ answers }) => answers.flatMap((answer) => answer.events))
      expect(done.events).toBe(events.length)
      expect(done).toMatchObject({ complete: true, scanned: log.length })
      expect(seen.at(-1)).toBe(log.length)
    },
  )

  test('publishes what was appended since then, however long its command had waited in queues', async () => {
    const [commit] = history(tally('a'), [['x']])
    const appendedMs = (commit?.timeMs ?? 0) + 28 * 24 * 3_600_000
    const log = commit === undefined ? [] : [commit]
    const counted = must(await republish({ store: storeOf(log) }, { sinceMs: appendedMs })()())
    expect(counted).toMatchObject({ scanned: 1, commits: 1 })
  })

  test('without a bus only counts', async () => {
    const log = history(tally('a'), [['x', 'y'], [], ['z']])
    const counted = must(await republish({ store: storeOf(log) }, { sinceMs: 0 })()())
    expect(counted).toEqual({ scanned: 3, commits: 2, events: 3, failures: [], complete: true })
  })

  test('gives up where nothing is taken any more', async () => {
    const log = history(
      tally('a'),
      Array.from({ length: 300 }, () => ['x']),
    )
    let asked = 0
    const publish: WorkBatch = async (commits) => {
      asked += commits.length
      return commits.map((): Outcome => E.left(unavailable('the bus')))
    }
    const done = must(await republish({ store: storeOf(log), publish }, { sinceMs: 0, segments: 1 })()())
    expect(done).toMatchObject({ complete: false, commits: 0 })
    expect(done.failures).toHaveLength(asked)
    expect(asked).toBeLessThan(20)
  })

  test('gives up where the bus says nothing at all', async () => {
    const log = history(tally('a'), [['x']])
    const done = must(await republish({ store: storeOf(log), publish: silent }, { sinceMs: 0 })()())
    expect(done).toMatchObject({ complete: false, commits: 0 })
  })

  test('goes on behind a commit that cannot be read, and names it', async () => {
    const log = ['a', 'b', 'c', 'd'].flatMap((name) => history(tally(name), [['x'], ['y']]))
    const other = history(streamName('other', 'a'), [['x']])
    const bus = busOf(() => false)
    const done = must(
      await republish(
        { store: storeOf([...log, ...other], 2, broken), publish: bus.publish },
        { sinceMs: 0, category: 'tally', segments: 1 },
      )()(),
    )
    expect(bus.taken).toEqual(log.filter((commit) => broken(commit) === undefined).map(placeOf))
    expect(done).toMatchObject({
      complete: true,
      scanned: 9,
      failures: [{ stream: tally('b'), commit: 1, fault: { _tag: 'Undecodable' } }],
    })
  })

  test('ends at a fault of the log, which it tells', async () => {
    const fault = E.left(unavailable('the event store'))
    const store = { ...storeOf([]), scan: () => async () => fault }
    expect(await republish({ store }, { sinceMs: 0 })()()).toEqual(fault)
  })
})
