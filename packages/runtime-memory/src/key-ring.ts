/** The key ring in memory. A destroyed key leaves a mark, so that none is ever made for its subject again. */
import { E, type KeyRing } from '@everfold/core'
import { failuresOf } from './failing.ts'
import type { Kernel } from './kernel.ts'

const KEY_BYTES = 64

const { writing } = failuresOf('the key ring')

export const memoryKeyRing = (kernel: Kernel): KeyRing => {
  const perform = kernel.port('key-ring')
  const keys = new Map<string, Uint8Array | 'destroyed'>()
  const keyOf = (subject: string): Uint8Array | undefined => {
    let key = keys.get(subject)
    if (key === undefined) keys.set(subject, (key = kernel.bytes(KEY_BYTES)))
    return key === 'destroyed' ? undefined : key.slice()
  }
  return {
    keyOf: (subject) => () => perform('keyOf', subject, () => E.right(keyOf(subject)), writing),
    destroy: (subject) => () =>
      perform(
        'destroy',
        subject,
        () => {
          keys.set(subject, 'destroyed')
          return E.right(undefined)
        },
        writing,
      ),
  }
}
