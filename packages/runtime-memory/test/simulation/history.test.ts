import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { sequence } from '../../src/random.ts'
import { anomaliesOf } from '../../src/simulation/history/check.ts'
import type { AnomalyKind, History, Operation } from '../../src/simulation/history/operation.ts'
import { alone } from '../../src/simulation/history/witness.ts'
import { kindsOf, MUTATIONS, SCENES, scene, TORN_READS } from './history-mutations.ts'
import { historyOf } from './history-world.ts'
import { isLinearizable } from './linearizability.ts'

const anyWorld = fc.record({
  seed: fc.nat(),
  operations: fc.integer({ min: 1, max: 60 }),
  processes: fc.integer({ min: 1, max: 6 }),
  streams: fc.integer({ min: 1, max: 4 }),
})

const picking = (seed: number) => {
  const chance = sequence(`pick ${seed}`)
  return (below: number) => Math.floor(chance() * below)
}

const byTime = (history: History): History =>
  history.toSorted((one, other) => one.invokedAt - other.invokedAt)

describe('a history that happened', () => {
  property.prop([anyWorld, fc.boolean()], { numRuns: 2000 })('has no anomaly', (world, finalReads) => {
    expect(anomaliesOf(historyOf({ ...world, finalReads }))).toEqual([])
    expect(anomaliesOf(historyOf({ ...world, finalReads }), { reads: 'committed' })).toEqual([])
  })
})

/**
 * All of them by themselves show it, and without any one of them there is none of the kind: none at least that does not
 * go through an append of which nothing but its value is known.
 */
const expectMinimal = (history: History, kind: AnomalyKind, operations: ReadonlyArray<number>) => {
  expect(kindsOf(anomaliesOf(alone(history)(operations)))).toContain(kind)
  for (const operation of operations) {
    const fewer = operations.filter((other) => other !== operation)
    const left = anomaliesOf(alone(history)(fewer)).filter((anomaly) =>
      anomaly.operations.every((at) => at < fewer.length),
    )
    expect(kindsOf(left)).not.toContain(kind)
  }
}

describe.each(MUTATIONS)('$name', ({ kind, mutate }) => {
  property.prop([anyWorld], { numRuns: 300 })(`is a ${kind}, and nothing else`, (world) => {
    const mutated = mutate(historyOf({ ...world, operations: world.operations + 10 }), picking(world.seed))
    fc.pre(mutated !== undefined)
    const history = byTime(mutated)
    const anomalies = anomaliesOf(history)
    expect(kindsOf(anomalies)).toEqual([kind])
    // Where an element was appended is told beside the read that shows it elsewhere, though the read would do.
    if (kind === 'incompatible order') return
    for (const { operations } of anomalies) expectMinimal(history, kind, operations)
  })
})

describe.each(SCENES)('$name', ({ kind, play }) => {
  property.prop([fc.nat(), fc.integer({ min: 1, max: 60 })], { numRuns: 200 })(
    `is a ${kind}, and nothing else`,
    (seed, operations) => {
      const history = byTime(scene(seed, operations, play))
      const anomalies = anomaliesOf(history)
      expect(kindsOf(anomalies)).toEqual([kind])
      for (const anomaly of anomalies) expectMinimal(history, kind, anomaly.operations)
    },
  )
})

test('reads that see a transaction in part are right where reads are merely committed', () => {
  const history = scene(1, 20, TORN_READS)
  expect(kindsOf(anomaliesOf(history))).toEqual(['G-single-realtime'])
  expect(anomaliesOf(history, { reads: 'committed' })).toEqual([])
})

test('a read between two elements of one transaction is a G1b', () => {
  const history = scene(1, 20, ({ append, read }) => {
    const both = append([1, 9], { x: 1 })
    const [first] = both.writes
    if (first === undefined) return []
    const second = { ...first, number: first.number + 1, value: 'x2' }
    return [{ ...both, writes: [first, second] }, read([2, 3], 'x', ['x1'])]
  })
  expect(kindsOf(anomaliesOf(history))).toEqual(['G1b'])
})

/** Any operations on one stream at any times, most of them plausible. */
const anyTiny = fc.nat().map((seed): History => {
  const chance = sequence(`tiny ${seed}`)
  const pick = (below: number) => Math.floor(chance() * below)
  const operations = Array.from({ length: 1 + pick(6) }, (_, index) => {
    const invokedAt = pick(10)
    const outcome = chance() < 0.7 ? 'ok' : chance() < 0.5 ? 'failed' : 'indeterminate'
    const asked = { process: `p${index}`, invokedAt, completedAt: invokedAt + 1 + pick(6), outcome } as const
    const number = 1 + pick(3)
    return chance() < 0.55
      ? ({
          ...asked,
          kind: 'append',
          writes: [{ stream: 's', number, value: `${number}${pick(3)}` }],
        } as const)
      : tinyRead(asked, pick)
  })
  return byTime(operations.map((operation) => plausible(operation, operations, pick)))
})

const tinyRead = (
  asked: Pick<Operation, 'process' | 'invokedAt' | 'completedAt' | 'outcome'>,
  pick: (below: number) => number,
) => {
  const values = Array.from({ length: pick(4) }, (_, at) => ({ number: at + 1, value: '' }))
  const to = pick(5) === 0 ? { to: values.length } : {}
  const consistency = pick(5) === 0 ? ('eventual' as const) : ('strong' as const)
  return { ...asked, kind: 'read', stream: 's', from: 1, values, consistency, ...to } as const
}

/** Shows at each place what some append tried to put there. */
const plausible = (
  operation: Operation,
  all: ReadonlyArray<Operation>,
  pick: (below: number) => number,
): Operation => {
  if (operation.kind === 'append') return operation
  const values = operation.values.map(({ number }) => {
    const tried = all.flatMap((other) => (other.kind === 'append' ? other.writes : []))
    const here = tried.filter((write) => write.number === number)
    return { number, value: here[pick(here.length)]?.value ?? `${number}0` }
  })
  return { ...operation, values }
}

describe('a tiny history of one stream', () => {
  property.prop([anyTiny], { numRuns: 20_000 })('has an anomaly iff no order explains it', (history) => {
    expect(anomaliesOf(history).length === 0).toBe(isLinearizable(history))
  })
})

describe('a cycle through many', () => {
  test('is told by the few that matter', () => {
    const history = scene(1, 20, ({ append }) => [
      append([1, 99], { x: 1 }, { y: 4 }),
      append([2, 98], { x: 2 }),
      append([3, 97], { x: 3 }),
      append([4, 96], { y: 1 }, { x: 3 }),
      append([5, 95], { y: 2 }),
      append([6, 94], { y: 3 }),
      append([7, 93], { y: 4 }),
    ])
    const [anomaly, ...more] = anomaliesOf(history)
    expect(more).toEqual([])
    expect(anomaly?.kind).toBe('G1c')
    expectMinimal(history, 'G1c', anomaly?.operations ?? [])
  })
  test('of a long history is found in linear time', () => {
    const history: Array<Operation> = Array.from({ length: 50_000 }, (_, at) => ({
      kind: 'append',
      process: `p${at % 8}`,
      invokedAt: at,
      completedAt: at + 0.5,
      outcome: 'ok',
      writes: [{ stream: `s${at % 500}`, number: Math.floor(at / 500) + 1, value: `v${at}` }],
      // Each second knows of the last, which no order allows.
      ...(at === 0 ? { unmoved: [{ stream: 's499', number: 100 }] } : {}),
    }))
    const [anomaly] = anomaliesOf(history.map((operation) => operation))
    expect(anomaly?.kind).toBe('G1c-realtime')
    expect(anomaly?.operations).toEqual([0, 49_999])
  })
})

test('an anomaly tells what happened in words', () => {
  const history = scene(1, 1, ({ append }) => [
    append([1, 9], { x: 1 }, { y: 0 }),
    append([2, 8], { y: 1 }, { x: 0 }),
  ])
  expect(anomaliesOf(history).map(({ message }) => message)).toMatchInlineSnapshot(`
    [
      "No order satisfies that scene 1 (3) did not see s1@1, which scene 2 (4) wrote, and scene 2 (4) did not see s0@1, which scene 1 (3) wrote: scene 1 appended x1 at s0@1 while s1 ended at 0 (steps 1006 to 1014, ok); scene 2 appended y1 at s1@1 while s0 ended at 0 (steps 1007 to 1013, ok)",
    ]
  `)
})
