import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { InvocationOutcome } from '../../src/simulation/models/event-source-mapping/index.ts'
import {
  asyncInvocations,
  clockMs,
  deployed,
  ended,
  type HowEnded,
  type Invoked,
  initial,
  invoke,
  invokeOffers,
  type LambdaState,
  onFailure,
  scheduledPayload,
} from '../../src/simulation/models/lambda/index.ts'
import { frozenDeep } from './frozen-deep.ts'

const MINUTE_MS = 60_000
const HOW: ReadonlyArray<HowEnded> = ['returned', 'failed', 'timed out', 'crashed']
const anyStep = fc.oneof(
  fc.record({ _tag: fc.constant('invoke' as const), choice: fc.nat(6) }),
  fc.record({ _tag: fc.constant('end' as const), choice: fc.nat(10), how: fc.constantFrom(...HOW) }),
  fc.record({ _tag: fc.constant('wait' as const), ms: fc.constantFrom(0, 1000, 40_000, 20 * MINUTE_MS) }),
  fc.record({ _tag: fc.constant('deploy' as const) }),
)

const started = (invoked: Invoked): Extract<Invoked, { _tag: 'Started' }> => {
  if (invoked._tag !== 'Started') throw new Error('it was throttled')
  return invoked
}

describe('whatever is invoked, ends and is deployed', () => {
  property.prop([fc.array(anyStep, { maxLength: 60, size: 'max' }), fc.integer({ min: 1, max: 3 })])(
    'no sandbox has two invocations at once, no function more than its concurrency, and none comes back from the dead',
    (steps, concurrency) => {
      let state: LambdaState = frozenDeep(deployed(initial, 'f', 0, { concurrency }))
      let nowMs = 0
      let version = 1
      const running = new Map<string, number>()
      const dead = new Set<string>()
      const versions = new Map<string, number>()
      for (const step of steps) {
        if (step._tag === 'wait') nowMs += step.ms
        if (step._tag === 'deploy') {
          state = deployed(state, 'f', nowMs)
          version += 1
        }
        if (step._tag === 'end') {
          const sandbox = [...running.keys()][step.choice % Math.max(1, running.size)]
          if (sandbox === undefined) continue
          running.delete(sandbox)
          if (step.how === 'timed out' || step.how === 'crashed') dead.add(sandbox)
          state = frozenDeep(ended(state, sandbox, step.how, nowMs))
        }
        if (step._tag !== 'invoke') continue
        const deviation = ['', ...invokeOffers(state, 'f', nowMs)][step.choice] ?? ''
        const invoked = invoke(state, 'f', deviation === '' ? { nowMs } : { nowMs, deviation })
        state = frozenDeep(invoked.state)
        for (const sandbox of invoked.gone) dead.add(sandbox)
        expect(invoked._tag === 'Throttled').toBe(running.size >= concurrency || deviation === 'throttled')
        if (invoked._tag === 'Throttled') continue
        const { sandbox, cold } = invoked
        expect(running.has(sandbox.id) || dead.has(sandbox.id)).toBe(false)
        expect(cold).toBe(!versions.has(sandbox.id))
        expect(versions.get(sandbox.id) ?? sandbox.version).toBe(sandbox.version)
        if (deviation !== 'old version') expect(sandbox.version).toBe(version)
        versions.set(sandbox.id, sandbox.version)
        running.set(sandbox.id, nowMs)
      }
    },
  )
})

const cold = (deviation: string) =>
  started(invoke(deployed(initial, 'f', 0), 'f', { nowMs: 1000, deviation })).sandbox

describe('a sandbox', () => {
  const state = deployed(initial, 'f', 0)
  const first = started(invoke(state, 'f', { nowMs: 0 }))
  const frozen = ended(first.state, first.sandbox.id, 'returned', 10)

  test('is used again, and not where a cold start is to be', () => {
    expect(started(invoke(frozen, 'f', { nowMs: 20 }))).toMatchObject({ cold: false, sandbox: { id: 'f 1' } })
    const colder = started(invoke(frozen, 'f', { nowMs: 20, deviation: 'cold' }))
    expect(colder).toMatchObject({ cold: true, sandbox: { id: 'f 2' } })
  })
  test('that was frozen earlier is taken where another warm one is to be', () => {
    const second = started(invoke(frozen, 'f', { nowMs: 20, deviation: 'cold' }))
    const two = ended(second.state, 'f 2', 'returned', 30)
    expect(invokeOffers(two, 'f', 40)).toEqual(['throttled', 'cold', 'another warm one'])
    expect(started(invoke(two, 'f', { nowMs: 40 })).sandbox.id).toBe('f 2')
    expect(started(invoke(two, 'f', { nowMs: 40, deviation: 'another warm one' })).sandbox.id).toBe('f 1')
  })
  test('is gone after a crash, a timeout, and a long rest', () => {
    for (const how of ['crashed', 'timed out'] as const) {
      const gone = ended(first.state, 'f 1', how, 10)
      expect(started(invoke(gone, 'f', { nowMs: 20 }))).toMatchObject({ cold: true, gone: [] })
    }
    expect(started(invoke(frozen, 'f', { nowMs: 10 + 15 * MINUTE_MS }))).toMatchObject({
      cold: true,
      gone: ['f 1'],
    })
  })
  test('of the old code may be used for a minute after a deploy, and new ones may run it', () => {
    const deployment = deployed(frozen, 'f', 100)
    expect(started(invoke(deployment, 'f', { nowMs: 200 })).sandbox.version).toBe(2)
    const old = started(invoke(deployment, 'f', { nowMs: 200, deviation: 'old version' }))
    expect(old).toMatchObject({ cold: false, sandbox: { id: 'f 1', version: 1 } })
    const another = started(invoke(old.state, 'f', { nowMs: 200, deviation: 'old version' }))
    expect(another).toMatchObject({ cold: true, sandbox: { version: 1 } })
    expect(invokeOffers(deployment, 'f', 100 + MINUTE_MS)).not.toContain('old version')
  })
  test('has its own idea of the time from its cold start on', () => {
    expect(clockMs(first.sandbox, 9000)).toBe(9000)
    expect(clockMs(cold('clock +5s'), 9000)).toBe(14_000)
    expect(clockMs(cold('clock -5s'), 9000)).toBe(4000)
    expect([1999, 2000].map((atMs) => clockMs(cold('clock jumps back 5s'), atMs))).toEqual([1999, -3000])
  })
})

const FAILED: InvocationOutcome = { _tag: 'Failed' }
const DONE: InvocationOutcome = { _tag: 'Returned', value: null }
const anyOutcome = fc.constantFrom<InvocationOutcome>(FAILED, DONE, { _tag: 'Throttled' })

describe('an asynchronous invocation', () => {
  const queue = asyncInvocations<string>()
  const event = { requestId: 'r', function: 'f', payload: 'x' }
  const accepted = queue.accepted(queue.initial, event, { nowMs: 0 })

  test('runs three times, after one minute and after two, and is given up', () => {
    let state = queue.next(accepted, 0).state
    let step = queue.answered(state, 'event 1', FAILED, 0)
    expect(step).toMatchObject({ wakeMs: MINUTE_MS, givenUp: [] })
    state = queue.next(step.state, MINUTE_MS).state
    step = queue.answered(state, 'event 1', FAILED, MINUTE_MS)
    expect(step).toMatchObject({ wakeMs: 3 * MINUTE_MS, givenUp: [] })
    expect(queue.next(step.state, 3 * MINUTE_MS - 1).invocations).toEqual([])
    state = queue.next(step.state, 3 * MINUTE_MS).state
    step = queue.answered(state, 'event 1', FAILED, 3 * MINUTE_MS)
    expect(step.givenUp).toEqual([{ event, reason: 'retries exhausted', invocations: 3 }])
    expect(step.state.pending).toEqual([])
  })
  test('waits longer with every throttle, up to five minutes, and for six hours in all', () => {
    let nowMs = 0
    const pauses: Array<number> = []
    let step = queue.next(accepted, nowMs)
    while (step.invocations.length > 0) {
      const throttled = queue.answered(step.state, 'event 1', { _tag: 'Throttled' }, nowMs)
      pauses.push((throttled.wakeMs ?? 0) - nowMs)
      nowMs = throttled.wakeMs ?? 0
      step = queue.next(throttled.state, nowMs)
    }
    expect(step.givenUp).toEqual([{ event, reason: 'too old', invocations: 0 }])
    expect(pauses.slice(0, 10)).toEqual(
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map((seconds) => 1000 * seconds),
    )
    expect(nowMs).toBe(6 * 60 * MINUTE_MS)
  })
  test('may come twice with one request, or never', () => {
    const twice = queue.next(queue.accepted(queue.initial, event, { nowMs: 0, deviation: 'twice' }), 0)
    expect(twice.invocations.map(({ id, requestId }) => [id, requestId])).toEqual([
      ['event 1', 'r'],
      ['event 2', 'r'],
    ])
    expect(queue.accepted(queue.initial, event, { nowMs: 0, deviation: 'dropped' }).pending).toEqual([])
  })

  property.prop([
    fc.array(fc.tuple(anyOutcome, fc.constantFrom('', 'twice')), { maxLength: 30, size: 'max' }),
    fc.constantFrom(0, 1, 2 as const),
  ])('is successful or given up in the end, and never both', (script, maximumRetryAttempts) => {
    const model = asyncInvocations<string>({ maximumRetryAttempts })
    let state = model.initial
    for (const [, deviation] of script)
      state = model.accepted(state, event, deviation === '' ? { nowMs: 0 } : { nowMs: 0, deviation })
    const ids = state.pending.map(({ id }) => id)
    const outcomes = script.map(([outcome]) => outcome)
    let [nowMs, succeeded, givenUp] = [0, 0, 0]
    for (let turn = 0; state.pending.length > 0; turn += 1) {
      if (turn > 1000) throw new Error('it does not come to rest')
      const step = model.next(frozenDeep(state), nowMs)
      state = step.state
      givenUp += step.givenUp.length
      let wakeMs = step.wakeMs ?? Number.POSITIVE_INFINITY
      for (const { id } of step.invocations) {
        const outcome = outcomes.shift() ?? DONE
        const answered = model.answered(frozenDeep(state), id, outcome, nowMs)
        state = answered.state
        givenUp += answered.givenUp.length
        succeeded += outcome._tag === 'Returned' ? 1 : 0
        wakeMs = answered.wakeMs ?? Number.POSITIVE_INFINITY
      }
      if (Number.isFinite(wakeMs)) nowMs = wakeMs
    }
    expect(succeeded + givenUp).toBe(ids.length)
  })
})

test('a destination hears of the event, why it was given up, and what it failed with', () => {
  const givenUp = {
    event: { requestId: 'r', function: 'f', payload: { order: 1 } },
    reason: 'retries exhausted',
    invocations: 3,
  } as const
  const error = { errorMessage: 'no', errorType: 'Error' }
  const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
  expect(onFailure(givenUp, { functionArn, nowMs: 0, error })).toEqual({
    version: '1.0',
    timestamp: '1970-01-01T00:00:00.000Z',
    requestContext: {
      requestId: 'r',
      functionArn: `${functionArn}:$LATEST`,
      condition: 'RetriesExhausted',
      approximateInvokeCount: 3,
    },
    requestPayload: { order: 1 },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorMessage: 'no', errorType: 'Error', trace: [] },
  })
  const tooOld = onFailure({ ...givenUp, reason: 'too old' }, { functionArn, nowMs: 0 })
  expect(tooOld).toMatchObject({ requestContext: { condition: 'EventAgeExceeded' } })
  expect(tooOld).not.toHaveProperty('responseContext')
})

test('a schedule hands its input on as it is', () => {
  expect(scheduledPayload('{"timer":"t"}')).toEqual({ timer: 't' })
})
