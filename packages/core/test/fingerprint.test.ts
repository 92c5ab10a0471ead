import { canonical, fingerprint, hash } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'

const json = fc.jsonValue({ maxDepth: 3 })

/** The same value, with the fields of every object the other way round. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([key, field]) => [key, reversed(field)])
  return Object.fromEntries(fields.toReversed())
}

describe('a fingerprint', () => {
  property.prop([json, json])('is one for two values iff they have one canonical form', (one, other) => {
    expect(fingerprint(one) === fingerprint(other)).toBe(canonical(one) === canonical(other))
  })
  property.prop([json])('is blind to the order of keys', (value) => {
    expect(fingerprint(reversed(value))).toBe(fingerprint(value))
  })
  property.prop([json])('is blind to what JSON cannot carry', (value) => {
    expect(fingerprint({ value, absent: undefined })).toBe(fingerprint({ value }))
    expect(fingerprint(JSON.parse(JSON.stringify(value)))).toBe(fingerprint(value))
  })
  property.prop([fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.nat()])(
    'tells where one text ends and the next begins',
    (one, other, cut) => {
      const all = one + other
      const at = cut % (all.length + 1)
      const again = [all.slice(0, at), all.slice(at)]
      expect(fingerprint([one, other]) === fingerprint(again)).toBe(one.length === at)
    },
  )
  test('tells values of different kinds apart', () => {
    const values = [
      null,
      false,
      true,
      0,
      1,
      0.5,
      '',
      '0',
      '0.5',
      'null',
      [],
      {},
      [0],
      ['0'],
      [[]],
      [{}],
      { a: [] },
    ]
    expect(new Set(values.map(fingerprint)).size).toBe(values.length)
  })
  test('tells a hundred thousand near payloads apart, in each half of its bits as well as chance does', () => {
    const prints = Array.from({ length: 100_000 }, (_, n) =>
      fingerprint({ sku: `sku-${n % 10}`, quantity: n % 100, priceMinor: Math.floor(n / 100) }),
    )
    expect(new Set(prints).size).toBe(100_000)
    // By chance a pair shares 30 bits about five times in as many.
    expect(new Set(prints.map((print) => print.slice(1, 6))).size).toBeGreaterThan(99_970)
    expect(new Set(prints.map((print) => print.slice(7, 12))).size).toBeGreaterThan(99_970)
  })
})

describe('the wire', () => {
  test.each([
    [null, '1I2L53jRZL5M'],
    [{ _tag: 'ReserveStock', lines: [1, 2], note: 'é😀' }, '1ldWyJrne5eU'],
    [-1.5, '1796DwViy0TM'],
  ])('the fingerprint of %j, as once stored, is still the same', (value, print) => {
    expect(fingerprint(value)).toBe(print)
  })
  test('an entity tag is SHA-256', () => {
    expect(hash('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  })
})

test('one canonical form has no white space and sorted keys', () => {
  expect(canonical({ b: [1, { d: undefined, c: -0 }], a: '"' })).toBe('{"a":"\\"","b":[1,{"c":0}]}')
})

test('the canonical form sorts keys by UTF-16 units and writes numbers as RFC 8785 does', () => {
  // The example of its section 3.2.3, and numbers of its appendix B.
  const keys = { '\u20ac': 0, '\r': 0, '\ufb33': 0, '1': 0, '\u{1f600}': 0, '\u0080': 0, ö: 0 }
  expect(canonical(keys)).toBe('{"\\r":0,"1":0,"\u0080":0,"ö":0,"€":0,"\u{1f600}":0,"\ufb33":0}')
  expect(canonical([333333333.3333333, 1e30, 4.5, 2e-3, 1e-27, 0])).toBe(
    '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
  )
})
