/** `pnpm simulate` as people and machines meet it: what it prints, and how it ends. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { E } from '@everfold/core'
import { decodePlan, holdingGlobals, simulation, soak } from '@everfold/runtime-memory/simulation'
import { corpusIn } from '@everfold/runtime-memory/simulation/corpus'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { argumentsOf } from '../src/simulate/arguments.ts'
import { bank as bankOptions } from '../src/simulate/bank.ts'
import { Unusable } from '../src/simulate/command.ts'
import { deployingForgetful } from '../src/simulate/deploy.ts'
import { tell } from '../src/simulate/failure.ts'
import type { Printer } from '../src/simulate/print.ts'
import type { Scenario } from '../src/simulate/scenarios.ts'
import { seeds } from '../src/simulate/seeds.ts'
import { eventually, program } from './program.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulate-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const started = (...args: ReadonlyArray<string>) => program('simulate/main.ts', args)

const ended = async (...args: ReadonlyArray<string>) => {
  const { out, err, ended: over } = started(...args)
  const code = await over
  return { code, out: out(), err: err() }
}

const bank = (...args: ReadonlyArray<string>) => ended('--scenario', 'bank', ...args)
/** A corpus of its own, so that nothing is kept in the repository. */
const soaking = (...args: ReadonlyArray<string>) => ['--scenario', 'bank', '--corpus', folder, ...args]

const objectsIn = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('tells how it is asked, within 80 columns', async () => {
  const { code, out } = await ended('--help')
  for (const name of ['--scenario', '--seconds', '--plan', 'busy-bank-on-lambda ', 'hot-sku'])
    expect(out).toContain(name)
  expect(out.split('\n').filter((line) => line.length > 80 && !line.startsWith(' '.repeat(22)))).toEqual([])
  expect(code).toBe(0)
})

describe('exits 2, and says in one line why,', () => {
  const WRONG: ReadonlyArray<{ readonly args: ReadonlyArray<string>; readonly why: RegExp }> = [
    { args: ['--fast'], why: /^Unknown option '--fast': .*$/ },
    { args: ['--scenario', 'shop'], why: /^There is no scenario shop: bank, .*$/ },
    { args: ['--seeds', '0'], why: /^--seeds is a whole number of at least 1, not 0\.$/ },
    { args: ['--seconds', 'soon'], why: /^--seconds is a number above 0, not soon\.$/ },
    { args: ['--exhaustive', '--scenario', 'order'], why: /^--exhaustive does not go with --scenario\.$/ },
    { args: ['--mutants', '--seeds', '3'], why: /^--mutants does not go with --seeds\.$/ },
    {
      args: ['--scenario', 'bank', '--seed', '3', '--seconds', '3'],
      why: /^--seed does not go with --seconds\.$/,
    },
    {
      args: ['--scenario', 'bank', '--seed', '3', '--plan', '{}'],
      why: /^--seed does not go with --plan\.$/,
    },
    { args: ['--seed', '3'], why: /^--seed and --plan need one --scenario\.$/ },
    { args: ['--page', 'run.html'], why: /^--page is for one run.*$/ },
  ]
  test.each(WRONG)('for $args', ({ args, why }) => {
    expect(() => argumentsOf(args)).toThrow(Unusable)
    expect(() => argumentsOf(args)).toThrow(why)
  })

  test('where options are wrong, or would be ignored', async () => {
    const [unknown, ignored] = await Promise.all([ended('--fast'), ended('--exhaustive', '--seeds', '3')])
    expect(unknown).toEqual({
      code: 2,
      out: '',
      err: "Unknown option '--fast': pnpm simulate --help tells what there is.\n",
    })
    expect(ignored).toEqual({ code: 2, out: '', err: '--exhaustive does not go with --seeds.\n' })
  })

  test('where a plan is none', async () => {
    const [empty, text] = await Promise.all([bank('--plan', '{}'), bank('--plan', '7,')])
    expect(empty.err).toMatch(/^The plan cannot be read: \/version is required; .*\n$/)
    expect(text.err).toMatch(/^The plan cannot be read: the input is not JSON: .*\n$/)
    expect([empty.code, text.code]).toEqual([2, 2])
  })

  test('where a page cannot be written, before anything is run', async () => {
    const nowhere = join(folder, 'none', 'run.html')
    const [none, directory] = await Promise.all([
      bank('--seed', '1', '--page', nowhere),
      bank('--seed', '1', '--page', folder),
    ])
    expect(none).toEqual({ code: 2, out: '', err: `${nowhere} cannot be written (ENOENT).\n` })
    expect(directory).toEqual({ code: 2, out: '', err: `${folder} cannot be written (EISDIR).\n` })
  })

  test('where a past failure is rubbish, or the corpus is no directory', async () => {
    const corpus = join(folder, 'rubbish')
    await mkdir(join(corpus, 'bank'), { recursive: true })
    const file = join(corpus, 'bank', 'one.json')
    await writeFile(file, 'rubbish')
    const [rubbish, none] = await Promise.all([bank('--corpus', corpus), bank('--corpus', file)])
    expect(rubbish.err).toMatch(/^.*one\.json is no past failure: the input is not JSON: .*\n$/)
    expect(none.err).toBe('The past failures of bank cannot be read (ENOTDIR).\n')
    expect([rubbish.code, rubbish.out, none.code, none.out]).toEqual([2, '', 2, ''])
  })
})

describe('one run', () => {
  test('is told by its first deviations and its last steps, and in full as a page', async () => {
    const page = join(folder, 'run.html')
    const { code, out } = await bank('--seed', '3', '--page', page)
    expect(out).toMatch(/^All held: seed 3, \d+ steps and .* of virtual time\.\n\n/)
    expect(out).toMatch(/\n\d+ deviations, of which the first 5 are\n {2}1\. After .*\n/)
    expect(out).toMatch(/\nThe last 40 of \d+ steps\n {2}#\d+ /)
    expect(out.split('\n').length).toBeLessThan(60)
    expect(code).toBe(0)
    expect(await readFile(page, 'utf8')).toMatch(/^<!doctype html>/i)
  })

  test('of a plan that no longer does what it says exits 1, and says what it no longer does', async () => {
    const plan = { version: 1, seed: '7', deviations: { 'relay 9: queue.send gone #1': 'response lost' } }
    const { code, out } = await bank('--plan', JSON.stringify(plan))
    expect(out).toContain('1 of 1 deviation did not come about')
    expect(out).toContain('relay 9: queue.send gone #1: response lost')
    expect(code).toBe(1)
  })

  test('of a plan that does so exits 0', async () => {
    const { code, out } = await bank('--plan', '{"version":1,"seed":"7","deviations":{}}', '--json')
    expect(objectsIn(out)).toMatchObject([{ scenario: 'bank', seed: '7', violation: null, unmet: {} }])
    expect(code).toBe(0)
  })
})

describe('runs by seeds', () => {
  test('are one JSON object a line, past failures first', async () => {
    const corpus = join(folder, 'past')
    await mkdir(join(corpus, 'bank'), { recursive: true })
    const failure = { version: 1, invariant: 'S1', requests: [] }
    const [mended, stale] = ['what was mended', 'what is tried no more']
    await writeFile(
      join(corpus, 'bank', 'mended.json'),
      JSON.stringify({ ...failure, name: mended, plan: { seed: '1', deviations: {} } }),
    )
    await writeFile(
      join(corpus, 'bank', 'stale.json'),
      JSON.stringify({ ...failure, name: stale, plan: { seed: '1', deviations: { gone: 'response lost' } } }),
    )
    const { code, out } = await bank('--corpus', corpus, '--seeds', '20', '--json')
    expect(objectsIn(out)).toMatchObject([
      { scenario: 'bank', past: { runs: 2, mended: [mended], stale: [stale], violations: 0 } },
      { scenario: 'bank', runs: 20, doubles: 2, differing: [], marks: { unreached: [] }, violations: 0 },
    ])
    expect(code).toBe(0)
  })

  test('go on for the seconds they are given, and are never none', async () => {
    const { code, out } = await ended(...soaking('--seconds', '0.001'))
    expect(out).toMatch(/^bank: 1 run, .* all held\.\n$/)
    expect(code).toBe(0)
  })

  test('are told of once they are interrupted, and end with 130', async () => {
    const running = started(...soaking('--scenario', 'busy-bank', '--seconds', '1', '--json'))
    await eventually('the first scenario is told of', () => (running.out().includes('\n') ? true : undefined))
    running.signal('SIGINT')
    expect(await running.ended).toBe(130)
    expect(objectsIn(running.out())).toMatchObject([
      { scenario: 'bank', violations: 0 },
      { scenario: 'busy-bank', violations: 0 },
    ])
    expect(running.err()).toBe('')
  })
})

/** Keeps what is said. */
const collecting = () => {
  const said: Array<{ readonly object: object; readonly words: string }> = []
  const print: Printer = {
    say: (object, words) => void said.push({ object, words }),
    follow: () => ({ at: () => undefined, end: () => undefined }),
  }
  return { said, print }
}

const anyScenario: Omit<Scenario, 'open'> = { name: 'any', level: 'ports', what: 'anything', seeds: 3 }

describe('a mark that is reached in no run', () => {
  const options = { ...bankOptions, marks: ['the moon is blue'] }
  const scenario: Scenario = { ...anyScenario, open: () => Promise.resolve(simulation(options)) }
  const soakedFor = async (runs: number) => {
    const { said, print } = collecting()
    const args = argumentsOf(['--seeds', String(runs), '--corpus', folder])
    if (args === undefined) throw new Error('these are arguments')
    const exit = await holdingGlobals(() => seeds({ args, print }, [scenario]))
    return { exit, said }
  }

  test('is told and fails once the scenario had the runs it asks for', async () => {
    const { exit, said } = await soakedFor(3)
    expect(said[0]?.words).toContain('In no run it came about that the moon is blue.')
    expect(exit).toBe(1)
  })

  test('is but counted where there were fewer', async () => {
    const { exit, said } = await soakedFor(2)
    expect(said).toMatchObject([
      { object: { marks: { unreached: expect.arrayContaining(['the moon is blue']) } } },
    ])
    expect(exit).toBe(0)
  })
})

test('a failure is shrunk, kept, and told with where it is kept', () =>
  holdingGlobals(async () => {
    const simulated = simulation(deployingForgetful)
    const scenario: Scenario = { ...anyScenario, open: () => Promise.resolve(simulated) }
    const { failing: run } = await soak(simulated, { seeds: 50 })
    if (run === undefined) throw new Error('there is something to tell')
    const { said, print } = collecting()
    const corpus = corpusIn(join(folder, 'kept'))
    await tell(print, { scenario, simulated, run, keep: corpus.keep })
    const [failure] = await corpus.failures()
    const [told] = said
    expect(told?.object).toMatchObject({
      scenario: 'any',
      violation: { invariant: failure?.invariant },
      deviations: failure?.plan.deviations.size,
      kept: expect.stringMatching(/kept\/.*\.json$/),
    })
    const { plan = '' } = (told?.object ?? {}) as { readonly plan?: string }
    expect(E.isRight(decodePlan(plan))).toBe(true)
    expect(told?.words).toContain('pnpm simulate --scenario any --plan ')
    expect(told?.words).toMatch(/\nKept in .*\.json, and run first from now on\.$/)
  }))
