/** What every key ring must do. */
import type { KeyRing } from '../ports/key-ring.ts'
import { holds, rightOf, type Suite, same, suite } from './suite.ts'

/** `run` tells this run's subjects from those of others. */
export const keyRingSuite = (make: () => Promise<KeyRing>, run: string = 'run'): Suite =>
  suite(make, run, {
    'a subject’s key is 64 bytes, the same at every call': async (keys, name) => {
      const key = rightOf(await keys.keyOf(name)())
      same(key?.length, 64, 'its length')
      same(bytesOf(rightOf(await keys.keyOf(name)())), bytesOf(key), 'the same key')
    },
    'subjects have keys of their own': async (keys, name) => {
      const made = new Set<string>()
      for (let at = 0; at < 20; at += 1)
        made.add(bytesOf(rightOf(await keys.keyOf(`${name}/${at}`)())).join())
      same(made.size, 20, 'all differ')
    },
    'callers who ask at once for a new key get the same one': async (keys, name) => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => keys.keyOf(name)()))
      same(new Set(answers.map((answer) => bytesOf(rightOf(answer)).join())).size, 1, 'one key')
    },
    'a destroyed key is gone for ever, and no other with it': async (keys, name) => {
      rightOf(await keys.keyOf(name)())
      const other = bytesOf(rightOf(await keys.keyOf(`${name}/other`)()))
      rightOf(await keys.destroy(name)())
      for (let call = 0; call < 3; call += 1)
        holds(rightOf(await keys.keyOf(name)()) === undefined, 'there is no key any more')
      rightOf(await keys.destroy(name)())
      same(bytesOf(rightOf(await keys.keyOf(`${name}/other`)())), other, 'the other key')
    },
    'a key that was destroyed before it was made is never made': async (keys, name) => {
      rightOf(await keys.destroy(name)())
      holds(rightOf(await keys.keyOf(name)()) === undefined, 'there is no key')
    },
    'whoever holds a key cannot change it': async (keys, name) => {
      const key = rightOf(await keys.keyOf(name)())
      const before = bytesOf(key)
      key?.fill(0)
      same(bytesOf(rightOf(await keys.keyOf(name)())), before, 'the same key')
    },
  })

const bytesOf = (key: Uint8Array | undefined): ReadonlyArray<number> => [...(key ?? [])]
