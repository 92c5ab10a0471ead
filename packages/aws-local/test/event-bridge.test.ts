/** The stand-in for EventBridge, asked through the official client. */
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import { type EventBridgeOptions, localClient, type Published, startEventBridge } from '@everfold/aws-local'
import { describe, expect, onTestFinished, test } from 'vitest'

const entry = (n: number, more: Partial<PutEventsRequestEntry> = {}): PutEventsRequestEntry => ({
  EventBusName: 'shop',
  Source: 'tests',
  DetailType: 'Counted',
  Detail: JSON.stringify({ n }),
  ...more,
})

const start = async (options: EventBridgeOptions = {}, maxAttempts = 3) => {
  const bridge = await startEventBridge(options)
  onTestFinished(bridge.stop)
  const client = new EventBridgeClient({ ...localClient(bridge.endpoint), maxAttempts })
  const put = (...Entries: ReadonlyArray<PutEventsRequestEntry>) =>
    client.send(new PutEventsCommand({ Entries: [...Entries] }))
  const numbers = () => bridge.published.map(({ event }) => (event.detail as { n: number }).n)
  return { ...bridge, put, numbers }
}
const first = ({ count }: { readonly count: number }, fault: 'Throttled' | 'RequestLost' | 'ResponseLost') =>
  count === 1 ? { _tag: fault } : undefined

describe('what is put', () => {
  test('is answered by index, and has become an event', async () => {
    const { put, published } = await start()
    const Time = new Date('2026-11-23T09:08:07.654Z')
    const answer = await put(entry(1, { Time, Resources: ['arn:a'] }), entry(2))
    expect(answer).toMatchObject({
      FailedEntryCount: 0,
      Entries: published.map(({ event }) => ({ EventId: event.id })),
    })
    expect(published[0]).toEqual({
      bus: 'shop',
      event: {
        version: '0',
        id: answer.Entries?.[0]?.EventId,
        source: 'tests',
        account: '000000000000',
        time: '2026-11-23T09:08:07Z',
        region: 'us-east-1',
        resources: ['arn:a'],
        'detail-type': 'Counted',
        detail: { n: 1 },
      },
    })
  })
  test.each([
    ['more than ten entries', Array.from({ length: 11 }, (_, n) => entry(n))],
    ['no entry', []],
    ['a megabyte', [entry(0, { Detail: JSON.stringify({ x: 'é'.repeat(2 ** 19) }) })]],
    [
      'a megabyte in several entries',
      [0, 1].map((n) => entry(n, { Detail: JSON.stringify({ x: 'x'.repeat(2 ** 19) }) })),
    ],
  ])('is refused as a whole with %s', async (_, entries) => {
    const { put, published } = await start()
    await expect(put(...entries)).rejects.toMatchObject({ name: 'ValidationException' })
    expect(published).toEqual([])
  })
  test('may be a byte below a megabyte', async () => {
    const { put, numbers } = await start()
    const around = 'testsCounted{"n":1,"x":""}'.length
    await put(entry(1, { Detail: JSON.stringify({ n: 1, x: 'x'.repeat(2 ** 20 - 1 - around) }) }))
    expect(numbers()).toEqual([1])
    await expect(
      put(entry(1, { Detail: JSON.stringify({ n: 1, x: 'x'.repeat(2 ** 20 - around) }) })),
    ).rejects.toMatchObject({ name: 'ValidationException' })
  })
  test.each([
    ['InvalidArgument', { Source: '' }],
    ['InvalidArgument', { DetailType: undefined }],
    ['MalformedDetail', { Detail: '{' }],
    ['MalformedDetail', { Detail: '[]' }],
  ])('is refused for itself alone with %s', async (ErrorCode, fault) => {
    const { put, numbers } = await start()
    const answer = await put(entry(1), entry(2, fault), entry(3))
    expect(answer.FailedEntryCount).toBe(1)
    expect(answer.Entries?.map((one) => one.ErrorCode)).toEqual([undefined, ErrorCode, undefined])
    expect(numbers()).toEqual([1, 3])
  })
})

describe('faults', () => {
  test('of an entry leave the others as they are', async () => {
    const { put, numbers } = await start({
      entryFault: ({ Detail }, index) =>
        Detail === '{"n":2}' && index === 1 ? 'ThrottlingException' : undefined,
    })
    const { FailedEntryCount, Entries } = await put(entry(1), entry(2), entry(3))
    expect([FailedEntryCount, Entries?.[1]?.ErrorCode]).toEqual([1, 'ThrottlingException'])
    expect(numbers()).toEqual([1, 3])
  })
  test('of a whole call are retried by the SDK', async () => {
    for (const fault of ['Throttled', 'RequestLost'] as const) {
      const { put, numbers, calls } = await start({ fault: (call) => first(call, fault) })
      await put(entry(1))
      expect([fault, numbers(), calls('PutEvents')]).toEqual([fault, [1], 2])
    }
  })
  test('after the call was applied make the SDK publish twice', async () => {
    const { put, numbers } = await start({ fault: (call) => first(call, 'ResponseLost') })
    await put(entry(1))
    expect(numbers()).toEqual([1, 1])
  })
  test('have their own names where the SDK may not retry', async () => {
    const { put } = await start({ fault: (call) => first(call, 'Throttled') }, 1)
    await expect(put(entry(1))).rejects.toMatchObject({ name: 'ThrottlingException' })
  })
})

describe('a subscriber', () => {
  test('hears what is put, as often as told', async () => {
    const { put, subscribe, deliver } = await start({
      copies: ({ event }) => ((event.detail as { n: number }).n === 2 ? 2 : 1),
    })
    const heard: Array<Published> = []
    const end = subscribe((one) => heard.push(one))
    await put(entry(1), entry(2))
    expect(await deliver()).toBe(0)
    end()
    await put(entry(3))
    await deliver()
    expect(heard.map(({ event }) => event.detail)).toEqual([{ n: 1 }, { n: 2 }, { n: 2 }])
  })
  test('that fails is called again, and the publisher hears nothing of it', async () => {
    const { put, subscribe, deliver } = await start()
    const heard: Array<Published> = []
    subscribe((one) => {
      heard.push(one)
      if (heard.length < 3) throw new Error('not now')
    })
    await expect(put(entry(1))).resolves.toMatchObject({ FailedEntryCount: 0 })
    expect([await deliver(), await deliver(), heard.length]).toEqual([1, 0, 3])
  })
})
