import type { CommandId, StreamName } from '@everfold/core'
import { replayed } from '@everfold/runtime-memory/simulation'
import { test } from 'vitest'
import { shop } from './toy-shop.ts'

test('S3 holds with seed 7', async () => {
  // Once: order/1 has two effects
  const plan = {
    seed: '7',
    deviations: new Map([['client 2: shop.place order/1 #1', 'response lost']]),
  }
  const requests: Parameters<typeof shop.replay>[1] = [
    {
      client: 'client 2',
      id: '01KDVDNM000000000000000001' as CommandId,
      aggregate: 'order',
      stream: 'order/1' as StreamName,
      command: { _tag: 'PlaceOrder', units: 2, note: 'a gift' },
      afterMs: 0,
    },
  ]
  await replayed(shop, plan, requests)
})
