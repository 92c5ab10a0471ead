import { Cursor, cursorOf, E, notOurs, placeOf } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'

const place = fc.string({ unit: 'binary', maxLength: 40 })
const word = fc.string({ maxLength: 4 })
const scope: fc.Arbitrary<readonly [string, ...ReadonlyArray<string>]> = fc.oneof(
  fc.tuple(word),
  fc.tuple(word, word),
  fc.tuple(word, word, word),
)

describe('a cursor', () => {
  property.prop([place, scope])('gives its place back in the scope it was made for', (at, of) => {
    const cursor = cursorOf(at, ...of)
    expect(Cursor.is(cursor)).toBe(true)
    expect(placeOf(cursor, ...of)).toEqual(E.right(at))
  })

  property.prop([place, scope, scope])('is refused in every other scope', (at, of, other) => {
    fc.pre(JSON.stringify(of) !== JSON.stringify(other))
    expect(placeOf(cursorOf(at, ...of), ...other)).toEqual(E.left(notOurs))
  })

  property.prop([place, fc.nat(), fc.constantFrom('A', 'z', '0', '-', '_')])(
    'with one letter changed is refused',
    (at, index, letter) => {
      const cursor = cursorOf(at, 'jars')
      const spot = index % cursor.length
      fc.pre(cursor[spot] !== letter)
      const forged = cursor.slice(0, spot) + letter + cursor.slice(spot + 1)
      expect(placeOf(forged, 'jars')).toEqual(E.left(notOurs))
    },
  )

  property.prop([fc.string({ maxLength: 30 })])('that was made up is refused', (text) => {
    expect(placeOf(text, 'jars')).toEqual(E.left(notOurs))
  })
})

// One that a caller kept over a deployment still opens the page it was for.
test('a cursor is spelled as ever', () => {
  expect(cursorOf('JAR#1', 'jars')).toBe('BTZvdMpOSkFSIzE')
})
