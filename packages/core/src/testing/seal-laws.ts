/** The laws of sealed values, for any key ring. */
import * as fc from 'fast-check'
import * as t from 'io-ts'
import { E } from '../fp.ts'
import type { KeyRing } from '../ports/key-ring.ts'
import { Sealed, seal, unseal } from '../seal.ts'
import { agree, type Laws, law, throughJson } from './law.ts'

const subject = fc.uuid().map((id) => `customer/${id}`)
/** Long enough that it appears in no box by chance. */
const secret = fc.string({ unit: 'grapheme', minLength: 6, maxLength: 60 })

export const sealLaws = (make: () => Promise<KeyRing>): Laws => [
  law('sealed values stay sealed', fc.tuple(subject, secret), async ([who, value]) => {
    const keys = await make()
    const sealed = await sealedWith(keys, who, value)
    agree(Sealed.is(throughJson(sealed)), true, 'what is stored is sealed')
    agree(JSON.stringify(sealed).includes(value), false, 'it does not show the value')
    agree(await unseal(keys)(t.string, sealed)(), E.right(value), 'the key opens it')
    const moved = await unseal(keys)(t.string, { ...sealed, subject: `${who}/other` })()
    agree(E.isRight(moved), false, 'it opens for no other subject')
  }),
  law(
    'the same value of the same subject is sealed the same',
    fc.tuple(subject, secret, secret),
    async ([who, one, other]) => {
      const keys = await make()
      const [first, again, another] = await Promise.all(
        [one, one, other].map((value) => sealedWith(keys, who, value)),
      )
      agree(again, first, 'so that a repeated payload is known')
      agree(another?.box === first?.box, one === other, 'and no other payload is taken for it')
    },
  ),
  law('destroying the key erases', fc.tuple(subject, secret), async ([who, value]) => {
    const keys = await make()
    const sealed = await sealedWith(keys, who, value)
    await keys.destroy(who)()
    const erased = E.left({ _tag: 'Erased', subject: who })
    agree(await unseal(keys)(t.string, sealed)(), erased, 'nothing opens it any more')
    agree(await seal(keys)(who, value)(), erased, 'and nothing more is sealed')
  }),
]

const sealedWith = async (keys: KeyRing, who: string, value: unknown): Promise<Sealed> => {
  const sealed = await seal(keys)(who, value)()
  if (E.isLeft(sealed)) throw new Error(`not sealed: ${JSON.stringify(sealed.left)}`)
  return sealed.right
}
