import { fc, test as property } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { laidOut, plain, tagged } from '../../src/cli/print.ts'

const anyText = fc.string({ unit: 'binary' })

describe('what was stored', () => {
  property.prop([anyText])('never commands the terminal that shows it', (text) => {
    expect(plain(text)).not.toMatch(/\p{Cc}|\p{Bidi_C}/u)
    expect(tagged({ _tag: text, of: text }, 2)).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_C}/u)
  })
  property.prop([fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.nat()), fc.constantFrom(40, 60, 80)])(
    'fits the terminal',
    (value, width) => {
      for (const line of laidOut(value, 4, width).split('\n')) expect(line.length).toBeLessThanOrEqual(width)
    },
  )
})
