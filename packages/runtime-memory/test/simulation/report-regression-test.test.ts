import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { regressionTest } from '../../src/simulation/report/regression-test.ts'
import type { Plan, Request, Run } from '../../src/simulation/run.ts'
import { HOSTILE, hostile, lostResponse } from './sample-runs.ts'
import { keyOf, order, runShop } from './toy-shop.ts'

const simulation = { name: 'shop', from: './toy-shop.ts' }

/** The text as a module without its imports, run with a vitest that notes what it is given. */
const replayed = async (
  text: string,
): Promise<{ title: string; plan: Plan; requests: ReadonlyArray<Request> }> => {
  const body = stripTypeScriptTypes(text).replaceAll(/^import .*$/gm, '')
  const noted: { title?: string; plan?: Plan; requests?: ReadonlyArray<Request> } = {}
  const replay = (plan: Plan, requests: ReadonlyArray<Request>) => Object.assign(noted, { plan, requests })
  let ran: Promise<void> | undefined
  const noting = (title: string, run: () => Promise<void>) => {
    Object.assign(noted, { title })
    ran = run()
  }
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- The text is code, and that it runs is the point.
  new Function('test', 'expect', 'shop', body)(noting, () => ({ toBeUndefined: () => undefined }), { replay })
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
  expect(regressionTest(await mended(), { simulation })).toBe(example)
})

property.prop([fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(HOSTILE, '__proto__', "it's", '*/'))])(
  'whatever the texts, the test replays the plan and the requests',
  async (text) => {
    const run = hostile(text)
    const { plan, requests, title } = await replayed(regressionTest(run, { simulation, title: text }))
    expect({ plan, requests, title }).toEqual({ plan: run.plan, requests: run.requests, title: text })
  },
)

test('a run without requests or deviations has a test that replays neither', async () => {
  const run = { ...lostResponse, plan: { seed: '1', deviations: new Map() }, requests: [] }
  const { plan, requests } = await replayed(regressionTest(run, { simulation }))
  expect({ plan, requests }).toEqual({ plan: run.plan, requests: [] })
})
