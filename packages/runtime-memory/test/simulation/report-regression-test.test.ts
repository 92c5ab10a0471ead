import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { NotHeld, replayed, simulation } from '../../src/simulation/index.ts'
import { placeOf } from '../../src/simulation/report/place.ts'
import { regressionTest } from '../../src/simulation/report/regression-test.ts'
import type { Plan, Request, Run } from '../../src/simulation/run.ts'
import { kioskWith } from './kiosk.ts'
import { HOSTILE, hostile, lostResponse } from './sample-runs.ts'
import { keyOf, order, runShop, shop } from './toy-shop.ts'

const called = { name: 'shop', from: './toy-shop.ts' }

/** The text as a module without its imports, run with a vitest that notes what it is given. */
const notedBy = async (
  text: string,
): Promise<{ title: string; plan: Plan; requests: ReadonlyArray<Request> }> => {
  const body = stripTypeScriptTypes(text).replaceAll(/^import .*$/gm, '')
  const noted: { title?: string; plan?: Plan; requests?: ReadonlyArray<Request> } = {}
  const replaying = (_shop: unknown, plan: Plan, requests: ReadonlyArray<Request>) =>
    Object.assign(noted, { plan, requests })
  let ran: Promise<void> | undefined
  const noting = (title: string, run: () => Promise<void>) => {
    Object.assign(noted, { title })
    ran = run()
  }
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- The text is code, and that it runs is the point.
  new Function('test', 'replayed', 'shop', body)(noting, replaying, {})
  await ran
  return { title: '', plan: { seed: '', deviations: new Map() }, requests: [], ...noted }
}

const mended = async (): Promise<Run> => {
  const one = order(1, 2, 0)
  const run = await runShop({ seed: '7', deviations: new Map([[keyOf(one, 1), 'response lost']]) }, [one])
  return { ...run, violation: { invariant: 'S3', message: 'order/1 has two effects', step: 2 } }
}

test('the example beside this test is what is written, compiles, is formatted and holds', async () => {
  const example = readFileSync(new URL('./report-regression-example.test.ts', import.meta.url), 'utf8')
  expect(regressionTest(await mended(), { simulation: called })).toBe(example)
})

property.prop([fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(HOSTILE, '__proto__', "it's", '*/'))])(
  'whatever the texts, the test replays the plan and the requests',
  async (text) => {
    const run = hostile(text)
    const { plan, requests, title } = await notedBy(regressionTest(run, { simulation: called, title: text }))
    expect({ plan, requests, title }).toEqual({ plan: run.plan, requests: run.requests, title: text })
  },
)

test('a run without requests or deviations has a test that replays neither', async () => {
  const run = { ...lostResponse, plan: { seed: '1', deviations: new Map() }, requests: [] }
  const { plan, requests } = await notedBy(regressionTest(run, { simulation: called }))
  expect({ plan, requests }).toEqual({ plan: run.plan, requests: [] })
})

const lost = (...keys: ReadonlyArray<string>): Plan => ({
  seed: '7',
  deviations: new Map(keys.map((key) => [key, 'response lost'])),
})

describe('a test that is kept', () => {
  const one = order(1, 3, 0)
  test('tells in its report what fails again, and no test to keep', async () => {
    const failing = replayed(shop, lost(keyOf(one, 1), keyOf(one, 2)), [one])
    await expect(failing).rejects.toThrow(NotHeld)
    await expect(failing).rejects.toThrow(/^S3 did not hold: order\/1 has two effects\n/)
    await expect(failing).rejects.not.toThrow('A test to keep')
    expect(placeOf((await failing.catch((error: Error) => error.stack ?? '')) as string)?.file).toBe(
      import.meta.filename,
    )
  })
  test('fails where it tries no longer what it was kept for', async () => {
    const simulated = simulation(kioskWith())
    await expect(replayed(simulated, lost('relay: commands.send renamed #1'))).rejects.toThrow(
      '1 of 1 deviation did not come about: this is no more the run that was planned.\n  relay: commands.send renamed #1: response lost\nWhere the mend is the reason',
    )
  })
  test('answers its run where all holds', async () => {
    const run = await replayed(shop, lost(keyOf(one, 1)), [one])
    expect(run.plan.deviations.size).toBe(1)
  })
})

test.each([
  ['S3', 'S3 holds with seed 42'],
  ['no cup is sold twice', 'no cup is sold twice holds with seed 42'],
  ['handler', 'no handler is at fault with seed 42'],
  ['history', 'the history has an order that explains it with seed 42'],
])('what broke %s is kept as: %s', (invariant, title) => {
  const run = { ...lostResponse, violation: { invariant, message: 'x', step: 1 } }
  expect(regressionTest(run, { simulation: called })).toContain(`test('${title}', async`)
})
