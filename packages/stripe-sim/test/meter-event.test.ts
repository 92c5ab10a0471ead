import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { errorOf, transports } from './bench.ts'

const usage = (identifier: string, value: string) => ({
  event_name: 'api_calls',
  identifier,
  payload: { stripe_customer_id: 'cus_1', value },
})

describe.each(transports)('a meter event, $name', ({ open }) => {
  test('is counted once for its identifier, for a day', async () => {
    await using bench = await open()
    const { meterEvents } = bench.stripe.billing
    expect(await meterEvents.create(usage('u1', '5'))).toMatchObject({
      identifier: 'u1',
      payload: { value: '5' },
    })
    expect((await errorOf(meterEvents.create(usage('u1', '6')))).code).toBe('duplicate_meter_event')
    await meterEvents.create(usage('u2', '7'))
    expect(bench.sim.snapshot().meterEvents.map(({ payload }) => payload['value'])).toEqual(['5', '7'])
    bench.pass(86_400_000)
    expect((await meterEvents.create(usage('u1', '8'))).payload['value']).toBe('8')
  })

  test('may not be older than 35 days or come from the future', async () => {
    await using bench = await open()
    const now = Math.floor(bench.nowMs() / 1_000)
    for (const timestamp of [now - 36 * 86_400, now + 301]) {
      const late = bench.stripe.billing.meterEvents.create({ ...usage('u1', '1'), timestamp })
      expect((await errorOf(late)).param).toBe('timestamp')
    }
  })
})
