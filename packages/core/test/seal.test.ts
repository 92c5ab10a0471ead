import { E, type KeyRing, Sealed, seal } from '@everfold/core'
import { sealLaws } from '@everfold/core/testing'
import { memoryKeyRing, virtualKernel } from '@everfold/runtime-memory'
import { describe, expect, test } from 'vitest'

const keyRing = async () => memoryKeyRing(virtualKernel({ mode: 'immediate' }))

describe('sealing over a key ring', () => {
  test.each(sealLaws(keyRing))('$title', async ({ check }) => {
    await expect(check()).resolves.toBeUndefined()
  })
  test('whose keys are all alike breaks a law', async () => {
    const alike: KeyRing = {
      keyOf: () => async () => E.right(new Uint8Array(64)),
      destroy: () => async () => E.right(undefined),
    }
    const outcomes = await Promise.allSettled(sealLaws(async () => alike).map(({ check }) => check()))
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true)
  })
})

test('a sealed value once stored is still a sealed value', async () => {
  const keys: KeyRing = {
    keyOf: () => async () => E.right(Uint8Array.from({ length: 64 }, (_, at) => at)),
    destroy: () => async () => E.right(undefined),
  }
  const golden = { _tag: 'Sealed', subject: 'customer/1', box: 'pKY2LsSdV7V_ofkJnSqX5O997nXF5ZzcKkG8LMwl' }
  expect(Sealed.is(golden)).toBe(true)
  expect(await seal(keys)('customer/1', { name: 'Ada' })()).toEqual(E.right(golden))
})
