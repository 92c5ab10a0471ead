/** The relay, unchanged, over the simulated EventBridge. */
import { EventBridgeClient, PutEventsCommand, StartReplayCommand } from '@aws-sdk/client-eventbridge'
import { E } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import {
  type EventBridgeState,
  eventBridgeWith,
} from '../../../runtime-memory/src/simulation/models/event-bridge/bus.ts'
import { eventBridgeWire } from '../../../runtime-memory/src/simulation/sdk/event-bridge.ts'
import { PublishedEvent, publishedEvents, relay } from '../../src/relay/index.ts'
import { instantClock } from '../instant-clock.ts'
import { history, TIME_MS, tally } from '../tally.ts'
import { type Deviate, simulated } from './simulated-service.ts'

const bus = {
  name: 'shop',
  rules: [
    {
      name: 'tallies',
      pattern: { 'detail-type': [{ prefix: 'tally.' }] },
      targets: [{ id: 'consumer', arn: 'arn:aws:lambda:us-east-1:000000000000:function:consumer' }],
    },
  ],
  archives: [{ name: 'kept' }],
}

const bridge = (deviate?: Deviate) => {
  const clock = instantClock(TIME_MS)
  const service = simulated(eventBridgeWire, eventBridgeWith([bus]), clock.nowMs, deviate)
  const client = new EventBridgeClient(service.config)
  return { client, clock, ...service }
}

const idsIn = ({ deliveries }: EventBridgeState): ReadonlyArray<string> =>
  [...deliveries.values()].map(({ event }) => (event.detail as PublishedEvent).id)

const log = history(tally('a'), [['x', 'y'], [], ['z'], ['1', '2', '3', '4', '5', '6', '7', '8', '9']])
const ids = log.flatMap((commit) => publishedEvents(commit).map(({ id }) => id))

describe('the relay', () => {
  property.prop([fc.array(fc.nat(40), { maxLength: 6 })], { numRuns: 25 })(
    'puts every event on the bus, whichever entries fail',
    async (picks) => {
      const { client, clock, state } = bridge((call, offered) => offered[picks[call - 1] ?? 99])
      const relayed = relay({ client, bus: 'shop', source: 'everfold.test', clock })
      expect(await relayed(log)).toEqual(log.map(() => E.right(undefined)))
      expect(new Set(idsIn(state()))).toEqual(new Set(ids))
      expect(idsIn(state()).length).toBe(ids.length)
    },
  )
  test('makes events that a consumer reads', async () => {
    const { client, clock, state } = bridge()
    await relay({ client, bus: 'shop', source: 'everfold.test', clock })(log)
    const [{ event } = {}] = state().deliveries.values()
    expect(event).toMatchObject({ source: 'everfold.test', 'detail-type': 'tally.Counted' })
    expect(PublishedEvent.is(event?.detail)).toBe(true)
  })
  test('says so where the bus takes nothing for as long as it waits', async () => {
    const { client, clock, state } = bridge(() => 'entry 1 failed')
    const [commit] = history(tally('b'), [['x']])
    if (commit === undefined) throw new Error('no commit')
    expect(await relay({ client, bus: 'shop', source: 'everfold.test', clock })([commit])).toMatchObject([
      E.left({ _tag: 'Unavailable' }),
    ])
    expect(idsIn(state())).toEqual([])
  })
})

describe('the SDK', () => {
  test('throws what the service refuses, under its name', async () => {
    const { client } = bridge()
    await expect(client.send(new PutEventsCommand({ Entries: [] }))).rejects.toMatchObject({
      name: 'ValidationException',
      $metadata: { httpStatusCode: 400 },
    })
  })
  test('starts a replay', async () => {
    const { client, clock, state } = bridge()
    await relay({ client, bus: 'shop', source: 'everfold.test', clock })(log)
    const arn = 'arn:aws:events:us-east-1:000000000000'
    const started = await client.send(
      new StartReplayCommand({
        ReplayName: 'again',
        EventSourceArn: `${arn}:archive/kept`,
        Destination: { Arn: `${arn}:event-bus/shop` },
        EventStartTime: new Date(TIME_MS - 1000),
        EventEndTime: new Date(TIME_MS + 60_000),
      }),
    )
    expect(started).toMatchObject({ State: 'STARTING', ReplayStartTime: new Date(clock.nowMs()) })
    expect(state().deliveries.size).toBe(2 * ids.length)
  })
  test('is told that the service has no such operation', async () => {
    const { client } = bridge()
    const { ListRulesCommand } = await import('@aws-sdk/client-eventbridge')
    await expect(client.send(new ListRulesCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
    })
  })
})
