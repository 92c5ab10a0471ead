/** Each deviation that took effect is told by a step, so that a report says when it was; what deviates in an answer too. */
import type { Service } from '@everfold/core'
import { describe, expect, test } from 'vitest'
import {
  type Deployment,
  mermaid,
  setUpAws,
  simulatedAws,
  simulation,
  summary,
  words,
} from '../../src/simulation/index.ts'

const set = setUpAws({
  tables: () => Promise.resolve(),
  queues: [{ name: 'news' }],
  buses: [{ name: 'bus', rules: [{ name: 'all', targets: [{ id: '1', queue: 'news' }] }] }],
})

const service: Service = {
  name: 'news',
  aggregates: [],
  projections: [],
  processes: [],
  gateways: [],
  routes: [],
}

/** Events are put until the bus has them, and read from the queue that it gives them to. */
const news = async () => {
  const state = await set
  const open: Deployment['open'] = (stage) => {
    const aws = simulatedAws(stage, state)
    const put = aws.deploy('publisher', { timeoutMs: 60_000 }, () => async (id) => {
      const { response } = await aws.requestHandler.handle({
        method: 'POST',
        path: '/',
        headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
        body: JSON.stringify({
          Entries: [
            { EventBusName: 'bus', Source: 'news', DetailType: 'New', Detail: JSON.stringify({ id }) },
          ],
        }),
      })
      const answer = JSON.parse(new TextDecoder().decode(response.body)) as { FailedEntryCount?: number }
      return answer.FailedEntryCount === 0
    })
    const reader = aws.deploy('reader', { timeoutMs: 60_000 }, () => () => Promise.resolve(undefined))
    aws.onQueue('news', reader, { visibilityMs: 30_000 })
    const publish = async (id: string): Promise<void> => {
      for (;;) {
        const outcome = await put.invoke(id, id)
        if (outcome._tag === 'Returned' && outcome.value === true) return
        await stage.kernel.sleep(1000)
      }
    }
    for (const id of ['1', '2']) stage.kernel.at(stage.kernel.nowMs(), `${id} is put`, () => void publish(id))
    return { send: () => Promise.resolve() }
  }
  return simulation({ service, workload: () => [], deployment: { globals: 'virtual', open } })
}

/** The key of the first request, and of its answer. */
const asked = async () => {
  const { steps } = await (await news()).replay({ seed: '0', deviations: new Map() })
  const key = steps.find(({ to }) => to === 'eventbridge')?.key ?? ''
  return { key, answer: `${key} is answered` }
}

describe('what deviates in an answer', () => {
  test('is told by the step that carries it, with its time', async () => {
    const { answer } = await asked()
    const deviations = new Map([[answer, 'unavailable for a minute']])
    const run = await (await news()).replay({ seed: '0', deviations })
    expect(run.unmet).toBeUndefined()
    expect(run.steps.filter(({ deviation }) => deviation !== undefined)).toEqual([
      expect.objectContaining({ key: answer, deviation: 'unavailable for a minute', to: 'eventbridge' }),
    ])
    expect(words(run)).toEqual([
      expect.stringMatching(
        /^After 0 ms \(step \d+\) .+ at eventbridge found the service unavailable, for a minute; /,
      ),
    ])
  })
  test('is told beside what became of the call', async () => {
    const { key, answer } = await asked()
    const deviations = new Map([
      [key, 'response lost'],
      [answer, 'unavailable for a minute'],
    ])
    const run = await (await news()).replay({ seed: '0', deviations })
    const step = run.steps.find(({ deviation }) => deviation !== undefined)
    expect(step).toMatchObject({
      key,
      deviation: 'response lost',
      besides: { key: answer, deviation: 'unavailable for a minute' },
    })
    expect(words(run).map((sentence) => /unavailable|lost/.exec(sentence)?.[0])).toEqual([
      'unavailable',
      'lost',
    ])
    const violation = { invariant: 'S1', message: 'lost', step: step?.number ?? 0 }
    const { plan, requests, steps, operations, hash, startMs } = run
    const broken = { plan, requests, steps, operations, hash, startMs, violation }
    expect(summary(broken)).toContain('!! unavailable for a minute  !! response lost')
    expect(mermaid(broken)).toContain('unavailable for a minute, response lost')
  })
  test('is told whatever chance decides', async () => {
    const simulated = await news()
    let [told, received] = [0, 0]
    for (let seed = 0; seed < 60; seed += 1) {
      const run = await simulated.run(String(seed))
      const sentences = words(run)
      told += sentences.length
      expect(sentences).toHaveLength(run.plan.deviations.size)
      expect(sentences.filter((sentence) => sentence.includes('no step tells'))).toEqual([])
      if ([...run.plan.deviations.keys()].some((key) => key.startsWith('news: receive'))) received += 1
    }
    expect(received).toBeGreaterThan(0)
    expect(told).toBeGreaterThan(20)
  })
})
