import {
  type AddItem,
  commandOf,
  compare,
  contenders,
  evolve,
  historyOf,
  initial,
  type Order,
  Orders,
} from '@everfold/bench'
import { describe, expect, test } from 'vitest'

const stateAfter = (stream: number, length: number, command?: AddItem): Order => {
  const added =
    command === undefined
      ? []
      : [
          {
            type: 'ItemAdded' as const,
            data: { sku: command.sku, quantity: command.quantity, priceMinor: command.priceMinor },
          },
        ]
  return [...historyOf(stream, length), ...added].reduce(evolve, initial)
}

describe.each(Object.entries(contenders))('%s', (_, load) => {
  test.each([1, 10])('appends to a stream of %i events what the domain decides', async (length) => {
    const { run, inspect } = await (await load()).prepare(length, 3)
    expect(await inspect(1)).toEqual({ version: length, order: stateAfter(1, length) })
    await run(1)
    expect(await inspect(1)).toEqual({
      version: length + 1,
      order: stateAfter(1, length, commandOf(1, length)),
    })
    expect(await inspect(2)).toEqual({ version: length, order: stateAfter(2, length) })
  })
})

describe('the floor', () => {
  const command = commandOf(0, 1)
  const placed = () => {
    const orders = new Orders()
    orders.streams.set(command.orderId, { events: historyOf(0, 1), answered: new Map() })
    return orders
  }
  const versionOf = async (orders: Orders) => (await orders.load(command.orderId)).version

  test('does a repeated command once', async () => {
    const orders = placed()
    await orders.handle(command)
    await orders.handle({ ...command })
    expect(await versionOf(orders)).toBe(2)
  })
  test('refuses a command id with another payload', async () => {
    const orders = placed()
    await orders.handle(command)
    await expect(orders.handle({ ...command, quantity: 3 })).rejects.toThrow('CommandIdReused')
  })
  test('refuses the second of two appends at one version', async () => {
    const orders = placed()
    const other = { ...command, commandId: 'another' }
    await expect(Promise.all([orders.handle(command), orders.handle(other)])).rejects.toThrow(
      'VersionConflict',
    )
    expect(await versionOf(orders)).toBe(2)
  })
  test.each([null, { ...command, quantity: 0 }, { ...command, sku: 1 }])('refuses %j', async (input) => {
    await expect(placed().handle(input)).rejects.toThrow('not a')
  })
})

test('a contender that does nothing is not measured', async () => {
  const idle = {
    name: 'idle',
    prepare: async (length: number) => ({
      run: async () => {},
      inspect: async () => ({ version: length, order: initial }),
    }),
  }
  await expect(
    compare(idle, idle, 1, { warmUpMs: 0, leastWarmUps: 1, measureMs: 0, leastRounds: 1 }),
  ).rejects.toThrow('idle left a stream of 1 events at version 1')
})
