import { realKernel } from '@everfold/runtime-memory'
import { expect, test } from 'vitest'

test('a timer fires at or after its time, a canceled one never', async () => {
  const kernel = realKernel({ seed: 'x' })
  const dueMs = kernel.nowMs() + 20
  const fired: Array<number> = []
  kernel.at(dueMs, 'canceled', () => fired.push(0))()
  await new Promise<void>((resolve) => {
    const keepAlive = setInterval(() => undefined, 1000)
    kernel.at(dueMs, 'fires', () => {
      fired.push(kernel.nowMs())
      clearInterval(keepAlive)
      resolve()
    })
  })
  expect(fired.length).toBe(1)
  expect(fired[0]).toBeGreaterThanOrEqual(dueMs)
})

test('a timer far away waits longer than one timer of the machine can', () => {
  const kernel = realKernel()
  let fired = false
  kernel.at(kernel.nowMs() + 2 ** 40, 'far', () => {
    fired = true
  })
  kernel.close()
  expect(fired).toBe(false)
})

test('keys come from a source that nobody guesses', () => {
  const kernel = realKernel()
  expect(kernel.bytes(32)).not.toEqual(kernel.bytes(32))
  expect(kernel.random()).not.toBe(kernel.random())
})
