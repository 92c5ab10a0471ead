import { type CommandId, streamName } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { draw } from '../../src/random.ts'
import { exhaustive, statement } from '../../src/simulation/modes/exhaustive.ts'
import type { Plan, Request, Run } from '../../src/simulation/run.ts'
import type { Simulation } from '../../src/simulation/simulation.ts'

const REQUESTS: ReadonlyArray<Request> = ['1', '2'].map((client) => ({
  client,
  id: `01KDVDNM00000000000000000${client}` as CommandId,
  aggregate: 'order',
  stream: streamName('order', 'a'),
  command: {},
  afterMs: 0,
}))

const LONGEST = 6
const BRANCHES = 2
const KINDS = ['lost', 'late']

/** Points at which something may deviate: what has deviated decides which come later, and how many. */
const pointsOf = (world: string) => (step: number, story: string) => {
  const over = step >= LONGEST || draw(world, `end ${step} ${story}`) < 0.1
  if (over) return undefined
  const branch = Math.floor(draw(world, `branch ${step} ${story}`) * BRANCHES)
  return {
    key: `${step}/${branch}`,
    offers: KINDS.filter((kind) => draw(world, `${step}/${branch} ${kind}`) < 0.8),
  }
}

interface World extends Pick<Simulation, 'replay' | 'requestsOf'> {
  /** The plans that were run, each in the order of its words. */
  readonly tried: Array<string>
}

/** Runs that are nothing but decisions; the run of the plan `broken` breaks something. */
const worldOf = (seed: string, broken?: string): World => {
  const points = pointsOf(seed)
  const tried: Array<string> = []
  const replay: Simulation['replay'] = (plan, requests = REQUESTS, notes = {}) => {
    const deviations = new Map<string, string>()
    let story = ''
    for (let step = 0; ; step += 1) {
      const point = points(step, story)
      if (point === undefined) break
      const { key, offers } = point
      notes.sites?.set(key, offers)
      const deviation = plan.deviations.get(key)
      if (deviation === undefined || !offers.includes(deviation)) continue
      deviations.set(key, deviation)
      story += `${key} ${deviation};`
    }
    const name = nameOf(plan)
    tried.push(name)
    const run: Run = {
      plan: { ...plan, deviations },
      requests,
      steps: [],
      operations: 1,
      hash: story,
      startMs: 0,
      ...(name === broken ? { violation: { invariant: 'S3', message: 'twice', step: 1 } } : {}),
    }
    return Promise.resolve(run)
  }
  return { tried, replay, requestsOf: () => REQUESTS }
}

const nameOf = ({ deviations }: Plan): string =>
  [...deviations]
    .map((one) => one.join(' '))
    .toSorted()
    .join('; ')

/** Every deviation that any run of any world could have. */
const EVERY = Array.from({ length: LONGEST }, (_, step) =>
  Array.from({ length: BRANCHES }, (__, branch) => KINDS.map((kind) => [`${step}/${branch}`, kind] as const)),
).flat(2)

/** The plans of up to so many deviations all of which take effect, found by running every one that there is. */
const meetable = async (seed: string, depth: 1 | 2): Promise<ReadonlyArray<string>> => {
  const plans = [
    new Map(),
    ...EVERY.map((one) => new Map([one])),
    ...(depth === 1
      ? []
      : EVERY.flatMap((one, at) => EVERY.slice(at + 1).map((other) => new Map([one, other])))),
  ]
  const { replay } = worldOf(seed)
  const names = new Set<string>()
  for (const deviations of plans) {
    const { plan } = await replay({ seed, deviations })
    if (plan.deviations.size === deviations.size) names.add(nameOf(plan))
  }
  return [...names].toSorted()
}

describe('all that may happen', () => {
  property.prop([fc.string(), fc.constantFrom(1, 2)], { numRuns: 40 })(
    'each set of deviations that a run can meet is tried once',
    async (seed, depth) => {
      const world = worldOf(seed)
      const { runs, singles, pairs } = await exhaustive(world, { depth })
      expect(world.tried.toSorted()).toEqual(await meetable(seed, depth))
      expect(runs).toBe(1 + singles + pairs)
      expect(world.tried).toHaveLength(runs)
    },
  )
  property.prop([fc.string(), fc.nat()], { numRuns: 40 })(
    'nothing is tried after the first run that breaks something',
    async (seed, at) => {
      const all = await meetable(seed, 2)
      const broken = all[at % all.length] ?? ''
      const world = worldOf(seed, broken)
      const { failing } = await exhaustive(world, { depth: 2 })
      expect(world.tried.at(-1)).toBe(broken)
      expect(failing && nameOf(failing.plan)).toBe(broken)
    },
  )
  test('only the kinds that are asked for', async () => {
    const world = worldOf('kinds')
    const { kinds } = await exhaustive(world, { depth: 2, kinds: (kind) => kind === 'late' })
    expect(kinds).toEqual(['late'])
    expect(world.tried.join()).not.toContain('lost')
  })
})

describe('the statement', () => {
  const tried = {
    commands: 2,
    streams: 1,
    runs: 5148,
    operations: 200_000,
    sites: 24,
    singles: 97,
    pairs: 5050,
    kinds: Array.from({ length: 18 }, (_, at) => `kind ${at}`),
  }
  test('says what was covered', () => {
    expect(statement(tried)).toBe(
      'one stream, two commands: 24 decision points, all 97 single deviations and all 5,050 pairs of 18 kinds: nothing broke',
    )
  })
  test('speaks of no pairs where none were tried', () => {
    expect(statement({ ...tried, pairs: 0, streams: 3, sites: 1 })).toBe(
      'three streams, two commands: one decision point, all 97 single deviations of 18 kinds: nothing broke',
    )
  })
  test('claims no more than was tried where something broke', async () => {
    const { replay } = worldOf('broken', '')
    const failing = await replay({ seed: '0', deviations: new Map() })
    expect(statement({ ...tried, singles: 3, pairs: 1, failing })).toBe(
      'one stream, two commands: 24 decision points, 3 single deviations and 1 pair of 18 kinds: then this broke, S3: twice',
    )
  })
})
