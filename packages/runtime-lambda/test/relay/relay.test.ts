import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { type LocalEventBridge, localClient, startEventBridge } from '@everfold/aws-local'
import { type Commit, E } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { batchConsumer } from '../../src/consumers/batch.ts'
import { PublishedEvent, publishedEvents, relay } from '../../src/relay/index.ts'
import type { RelayOptions } from '../../src/relay/relay.ts'
import { eventOf, sequenceNumber } from '../change-stream/stream-events.ts'
import { instantClock } from '../instant-clock.ts'
import { history, tally } from '../tally.ts'

/** What the bus answers to each entry, one after the other; undefined is that it takes it. */
let script: Array<string | undefined> = []
let calls: Array<ReadonlyArray<string>> = []
let bridge: LocalEventBridge
let client: EventBridgeClient

beforeAll(async () => {
  bridge = await startEventBridge({
    entryFault: ({ Detail: detail = '' }, index) => {
      if (index === 0) calls.push([])
      const { id } = JSON.parse(detail) as { readonly id: string }
      calls.splice(-1, 1, [...(calls.at(-1) ?? []), id])
      return script.shift()
    },
  })
  client = new EventBridgeClient(localClient(bridge.endpoint))
})
afterAll(() => bridge.stop())

const options = (more: Partial<RelayOptions> = {}): RelayOptions => ({
  client,
  bus: 'bus',
  source: 'everfold.test',
  clock: instantClock(),
  ...more,
})

/** The ids of what has been published since, in the order in which it was. */
const since = (from: number): ReadonlyArray<string> =>
  bridge.published.slice(from).map(({ event }) => (event.detail as PublishedEvent).id)

const idsOf = (commits: ReadonlyArray<Commit>): ReadonlyArray<string> =>
  commits.flatMap((commit) => publishedEvents(commit).map(({ id }) => id))

const planting = (...faults: ReadonlyArray<string | undefined>) => {
  script = [...faults]
  calls = []
  return bridge.published.length
}

describe('a batch', () => {
  test('is published event by event, as it stands in the log', async () => {
    const from = planting()
    const log = history(tally('a'), [['x', 'y'], [], ['z']])
    expect(await relay(options())(log)).toEqual([E.right(undefined), E.right(undefined), E.right(undefined)])
    expect(since(from)).toEqual(['tally/a@1.0', 'tally/a@1.1', 'tally/a@3.0'])
    const { bus, event } = bridge.published.at(-1) ?? {}
    expect(bus).toBe('bus')
    expect(event).toMatchObject({ source: 'everfold.test', 'detail-type': 'tally.Counted' })
    expect(PublishedEvent.is(event?.detail)).toBe(true)
    expect(event?.detail).toMatchObject({ version: 3, event: { _tag: 'Counted', note: 'z' } })
  })

  test('of a sealed value is published sealed', async () => {
    const from = planting()
    const [commit] = history(tally('sealed'), [['x']])
    const sealed = { _tag: 'Sealed', subject: 'shopper-1', box: 'AAECAw' }
    const answers = commit?.answers.map((answer) => ({
      ...answer,
      events: [{ _tag: 'Counted', note: sealed }],
    }))
    await relay(options())([{ ...commit, answers } as Commit])
    expect(bridge.published.slice(from)).toMatchObject([{ event: { detail: { event: { note: sealed } } } }])
  })

  test('puts again what the bus could not take, and only that', async () => {
    const from = planting(undefined, 'ThrottlingException', undefined, 'InternalFailure')
    const log = history(tally('again'), [['1', '2', '3', '4']])
    expect(await relay(options())(log)).toEqual([E.right(undefined)])
    expect(calls).toEqual([
      ['tally/again@1.0', 'tally/again@1.1', 'tally/again@1.2', 'tally/again@1.3'],
      ['tally/again@1.1', 'tally/again@1.3'],
    ])
    expect([...since(from)].toSorted()).toEqual(idsOf(log))
  })

  test('does not put again what the bus will never take, and reports its record', async () => {
    planting(undefined, 'MalformedDetail')
    const log = history(tally('refused'), [['1'], ['2'], ['3']])
    const answer = await batchConsumer({ work: relay(options()) })(eventOf(log))
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: sequenceNumber(1) }] })
    expect(calls).toHaveLength(1)
  })

  test('gives up when its time is over, and begins no call behind the failure', async () => {
    planting(...Array.from({ length: 1000 }, () => 'ThrottlingException'))
    const log = history(
      tally('slow'),
      Array.from({ length: 50 }, () => ['x']),
    )
    const clock = instantClock()
    const startMs = clock.nowMs()
    const outcomes = await relay(options({ clock, budgetMs: 5000, calls: 1 }))(log)
    expect(clock.nowMs() - startMs).toBeLessThanOrEqual(5000)
    expect(outcomes.slice(0, 10).every((outcome) => outcome?._tag === 'Left')).toBe(true)
    expect(outcomes.slice(10)).toEqual(Array.from({ length: 40 }, () => undefined))
    expect(new Set(calls.flat()).size).toBe(10)
  })

  test('is published up to a commit whose event is too large for a message', async () => {
    const from = planting()
    const log = history(tally('large'), [['x'], ['y'.repeat(1_000_000)], ['z']])
    const outcomes = await relay(options())(log)
    expect(outcomes).toMatchObject([{ _tag: 'Right' }, { left: { _tag: 'TooLarge' } }, undefined])
    expect(since(from)).toEqual(['tally/large@1.0'])
  })

  test('on a bus that cannot be reached fails as a whole', async () => {
    const away = new EventBridgeClient({ ...localClient('http://127.0.0.1:1'), maxAttempts: 1 })
    const log = history(tally('away'), [['x'], ['y']])
    const answer = await batchConsumer({ work: relay(options({ client: away })) })(eventOf(log))
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: sequenceNumber(0) }] })
  })
})

const codes = fc.constantFrom(
  undefined,
  undefined,
  'ThrottlingException',
  'InternalFailure',
  'InvalidArgument',
)
const anyLog = fc
  .array(fc.array(fc.array(fc.constantFrom('x', '\u{1F600}'), { maxLength: 4 }), { maxLength: 8 }), {
    maxLength: 4,
  })
  .map((streams) => streams.flatMap((commits, at) => history(tally(`p${at}`), commits)))
  .chain((log) => fc.shuffledSubarray([...log], { minLength: log.length }))

describe('whatever the bus refuses', () => {
  property.prop([anyLog, fc.array(codes, { maxLength: 40 }), fc.integer({ min: 1, max: 3 })], {
    numRuns: 60,
  })(
    'a commit counts once all of its events are published, and nothing else is',
    async (log, faults, width) => {
      const from = planting(...faults)
      const outcomes = await relay(options({ calls: width }))(log)
      const published = new Set(since(from))
      expect(outcomes).toHaveLength(log.length)
      for (const [at, commit] of log.entries())
        if (outcomes[at]?._tag === 'Right')
          expect(idsOf([commit]).filter((id) => !published.has(id))).toEqual([])
      expect([...published].filter((id) => !idsOf(log).includes(id))).toEqual([])
      for (const call of calls) {
        const places = call.map((id) => idsOf(log).indexOf(id))
        expect(places).toEqual(places.toSorted((one, other) => one - other))
      }
    },
  )

  property.prop([anyLog, fc.array(codes, { maxLength: 40 })], { numRuns: 40 })(
    'delivered from the lowest number reported on, all is published in the end',
    async (log, faults) => {
      const from = planting(...faults)
      const consumer = batchConsumer({ work: relay(options()) })
      let left = log.length === 0 ? [] : eventOf(log).Records
      for (let turn = 0; left.length > 0; turn += 1) {
        expect(turn).toBeLessThan(100)
        const [failure] = (await consumer({ Records: left })).batchItemFailures
        const at = left.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failure?.itemIdentifier)
        left = at < 0 ? [] : left.slice(at)
      }
      expect([...new Set(since(from))].toSorted()).toEqual([...idsOf(log)].toSorted())
    },
  )
})
