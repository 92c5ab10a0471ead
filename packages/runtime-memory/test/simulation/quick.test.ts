import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { corpusIn } from '../../src/simulation/corpus.ts'
import {
  always,
  alwaysOverall,
  type Corpus,
  holds,
  NotHeld,
  replayPlan,
  type SimulationOptions,
  simulation,
  soak,
} from '../../src/simulation/index.ts'
import { placeOf } from '../../src/simulation/report/place.ts'
import { decide, kiosk, kioskWith } from './kiosk.ts'

const MOST = 'no kiosk sells ten cups'
const tenCups = () => always(MOST, kiosk, ({ sold }) => sold < 10 || `${sold} are sold`)

const tea = (more: Partial<SimulationOptions> = {}) => simulation({ ...kioskWith(), ...more })

const thrownBy = async (running: Promise<unknown>): Promise<NotHeld> => {
  const error = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof NotHeld) return error
  throw new Error(`no NotHeld: ${String(error)}`)
}

const framesOf = ({ name, message, stack }: NotHeld) => stack?.slice(name.length + 2 + message.length)

const boom: typeof decide = (command, state) => {
  if (command.cups === 7) throw new Error('seven')
  return decide(command, state)
}

describe('some hundred runs in a unit test', () => {
  test('hold, and say how many they were', async () => {
    const held = await holds(tea(), { seeds: 50 })
    expect(held).toMatchObject({ runs: 50, mended: [] })
    expect(held.operations).toBeGreaterThan(1000)
  })
  test('or what does not hold is told, shrunk, with its line, its plan and a test to keep', async () => {
    const error = await thrownBy(
      holds(tea({ invariants: [tenCups()] }), { called: { name: 'tea', from: './tea.ts' } }),
    )
    const { message, run } = error
    expect(run.violation?.invariant).toBe(MOST)
    expect(run.plan.deviations.size).toBe(0)
    expect(run.requests.length).toBeLessThanOrEqual(4)
    expect(message).toMatch(/^no kiosk sells ten cups did not hold: .+ 1\d are sold$/m)
    expect(message).toContain(`at ${import.meta.filename}:`)
    expect(message).toMatch(/seed \d+, after step \d+/)
    expect(message).toContain('Nothing deviated from the benign.')
    expect(message).toContain(
      "  import { replayPlan } from '@everfold/runtime-memory/simulation'\n  await replayPlan(tea, '{\"version\":1,",
    )
    expect(message).toContain("import { tea } from './tea.ts'")
    expect(placeOf(error.stack ?? '')?.file).toBe(import.meta.filename)
    expect(framesOf(error)).toMatch(/^\n\s+at tenCups /)
  })
  test('of a handler that throws, its line is the first', async () => {
    const error = await thrownBy(holds(simulation(kioskWith({ decide: boom }))))
    expect(error.message).toContain('did: Error: seven')
    expect(framesOf(error)).toMatch(/^\n\s+at .*boom /)
  })
  test('of what holds in no line of anybody, the test that asked is the first', async () => {
    const broken = tea({ parts: { functions: { relay: () => async () => ({ batchItemFailures: [] }) } } })
    const { stack, run } = await thrownBy(holds(broken, { seeds: 20 }))
    expect(run.violation).toMatchObject({ invariant: 'S5' })
    expect(placeOf(stack ?? '')?.file).toBe(import.meta.filename)
  })
  test('a run that differs the second time is told with the step that differs', async () => {
    let runs = 0
    const drifting = tea({
      workload: (random) => {
        runs += 1
        return kioskWith()
          .workload(random)
          .slice(0, 1 + (runs % 3))
      },
    })
    await expect(holds(drifting, { seeds: 1, twiceEvery: 1 })).rejects.toThrow(
      /^a run is a function of its seed, and that of 0 is not; .+: step \d+ was ".+" once and ".+" then$/,
    )
  })
})

describe('a plan as a report gives it', () => {
  test('replays what broke', async () => {
    const broken = tea({ invariants: [tenCups()] })
    const { message, run } = await thrownBy(holds(broken))
    const line = /replayPlan\(simulation, '(?<plan>.+)'\)$/m.exec(message)?.groups?.['plan'] ?? ''
    const again = await replayPlan(broken, line.replaceAll('\\\\', '\\'))
    expect(again).toMatchObject({ hash: run.hash, violation: { invariant: MOST } })
  })
  test('or tells why it cannot be read', async () => {
    await expect(replayPlan(tea(), '{"version":1}')).rejects.toThrow(
      'the plan cannot be read: /seed is required',
    )
  })
})

describe('a corpus of past failures', () => {
  let directory = ''
  let corpus: Corpus
  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'corpus-')), 'past')
    corpus = corpusIn(directory)
  })
  afterEach(() => rm(join(directory, '..'), { recursive: true }))

  test('begins empty', async () => {
    expect(await corpus.failures()).toEqual([])
  })
  test('keeps what failed, once, and runs it first, until it is mended', async () => {
    const broken = tea({ invariants: [tenCups()] })
    const { run } = await thrownBy(holds(broken, { corpus }))
    const [file = '', ...others] = await readdir(directory)
    expect(others).toEqual([])
    expect(file).toMatch(/^no-kiosk-sells-ten-cups-[0-9a-f]{16}\.json$/)
    const again = await soak(broken, { seeds: 0, corpus })
    expect(again.failing?.plan).toEqual(run.plan)
    await thrownBy(holds(broken, { corpus, seeds: 0 }))
    expect(await readdir(directory)).toEqual([file])
    const { mended, runs } = await holds(tea(), { corpus, seeds: 3 })
    expect(mended).toEqual([expect.stringMatching(/^no kiosk sells ten cups [0-9a-f]{16}$/)])
    expect(runs).toBe(4)
  })
  test('says which file is none of it, and what cannot be run any more', async () => {
    await thrownBy(holds(tea({ invariants: [tenCups()] }), { corpus }))
    const [name = ''] = await readdir(directory)
    const file = join(directory, name)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replaceAll('"cups"', '"mugs"'))
    await expect(holds(tea(), { corpus })).rejects.toThrow(/^the past failure no kiosk sells .+ \/cups /)
    await writeFile(file, '{}')
    await expect(holds(tea(), { corpus })).rejects.toThrow(`${file} is no past failure: /version is required`)
  })
})

test('what needs faults keeps few of them', async () => {
  const once = tea({
    invariants: [alwaysOverall('no more than eleven commits', ({ log }) => log.length < 12)],
  })
  const { run } = await thrownBy(holds(once))
  expect(run.plan.deviations.size).toBeLessThanOrEqual(3)
})
