import {
  accept,
  aggregate,
  E,
  envelope,
  execute,
  freshId,
  type Head,
  type HeadCache,
  list,
  record,
  type StreamName,
  snapshotCodec,
  streamName,
  text,
  union,
  variant,
} from '@everfold/core'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { expect, test } from 'vitest'

const Line = text('Line', { maxLength: 1000 })
const Lines = record('Lines', { lines: list(Line) })

/** A diary whose state is all that was ever written; it tells how often its snapshot was made. */
const diary = () => {
  const made = { snapshots: 0 }
  const value = aggregate({
    name: 'diary',
    initial: { lines: [] as ReadonlyArray<string> },
    evolve: ({ lines }, { line }) => ({ lines: [...lines, line] }),
    decide: ({ line }) => accept({ _tag: 'Written' as const, line }),
    command: union('Command', variant('Write', { line: Line })),
    event: union('Event', variant('Written', { line: Line })),
    rejection: union('Rejection', variant('Never')),
    snapshot: snapshotCodec(
      Lines,
      (state) => {
        made.snapshots += 1
        return state as typeof Lines._A
      },
      (state) => state,
    ),
    reducer: 1,
  })
  return { made, value }
}

const cacheOf = (): HeadCache => {
  const heads = new Map<StreamName, Head<unknown>>()
  return {
    get: (stream) => heads.get(stream),
    set: (stream, head) => void heads.set(stream, head),
    delete: (stream) => void heads.delete(stream),
  }
}

test('a snapshot that did not fit is not made again before as much as it weighs has come on top', async () => {
  const { made, value } = diary()
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel, { limitBytes: 50_000 })
  const run = execute(value, { store, clock: kernel, cache: cacheOf() })
  const write = async (line: string) => {
    const timeMs = kernel.nowMs()
    const command = { _tag: 'Write' as const, line: line as typeof Line._A }
    const member = envelope(command, { id: freshId(timeMs, kernel.random), timeMs })
    expect(E.isRight(await run(streamName('diary', 'd'), [member])())).toBe(true)
  }
  for (let n = 0; n < 100; n += 1) await write('x'.repeat(900))
  expect(store.log.filter(({ snapshot }) => snapshot !== undefined).length).toBeGreaterThan(0)
  const before = made.snapshots
  // A state of 90 kB does not fit; two hundred short commits weigh about half of it.
  for (let n = 0; n < 200; n += 1) await write('x')
  expect(store.log.length).toBe(300)
  expect(made.snapshots - before).toBeLessThanOrEqual(1)
})

test('a snapshot comes before it is due only where its commit takes no more kilobytes with it', async () => {
  const { value } = diary()
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  const run = execute(value, { store, clock: kernel }, { snapshotEvery: 8 })
  for (let n = 0; n < 60; n += 1) {
    const timeMs = kernel.nowMs()
    const command = { _tag: 'Write' as const, line: 'x'.repeat(1 + n) as typeof Line._A }
    const member = envelope(command, { id: freshId(timeMs, kernel.random), timeMs })
    expect(E.isRight(await run(streamName('diary', 'd'), [member])())).toBe(true)
  }
  const carriers = store.log.filter(({ snapshot }) => snapshot !== undefined)
  const early = carriers.filter(({ number }, at) => number - (carriers[at - 1]?.number ?? 0) < 8)
  expect(carriers.length).toBeGreaterThanOrEqual(7)
  expect(early.length).toBeGreaterThan(0)
  for (const { snapshot, ...commit } of early)
    expect(kilobytes({ ...commit, snapshot })).toBe(kilobytes(commit))
})

const kilobytes = (value: unknown): number => Math.ceil(Buffer.byteLength(JSON.stringify(value)) / 1024)
