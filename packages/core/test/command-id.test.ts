import { CommandId, dateOf, deriveId, freshId, fromUlid, idOfKey, undatedId } from '@everfold/core'
import { arbitrary } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { decodeTime } from 'ulid'
import { describe, expect, test } from 'vitest'

const anyDate = fc.oneof(fc.nat({ max: 2 ** 31 }), fc.constantFrom(0, 1, 1_767_225_600_000, 2 ** 48 - 1))

describe('an id with a date', () => {
  property.prop([anyDate, fc.array(fc.string()), fc.array(fc.string())])(
    'is derived from the date and the parts, all of them',
    (dateMs, parts, others) => {
      const id = deriveId(dateMs, ...parts)
      expect(CommandId.is(id)).toBe(true)
      expect(dateOf(id)).toBe(dateMs)
      expect(deriveId(dateMs, ...parts)).toBe(id)
      expect(deriveId(dateMs, ...others) === id).toBe(JSON.stringify(others) === JSON.stringify(parts))
    },
  )
  property.prop([anyDate, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })])(
    'is made afresh from time and chance',
    (dateMs, chance) => {
      const id = freshId(dateMs, () => chance)
      expect(CommandId.is(id)).toBe(true)
      expect(dateOf(id)).toBe(dateMs)
    },
  )
  property.prop([arbitrary(CommandId)])('carries the date that the ulid library reads', (id) => {
    expect(dateOf(id)).toBe(id.startsWith('k') ? undefined : decodeTime(id))
  })
  test('is always the same for the same facts', () => {
    expect(deriveId(1_767_225_600_000, 'asked', 'a', '0')).toBe('01KDVDNA001KF95Q42BP6M2SMN')
  })
})

describe('a key without a date', () => {
  property.prop([fc.array(fc.string()), fc.array(fc.string())])(
    'is an id of its own kind',
    (parts, others) => {
      const id = undatedId(...parts)
      expect(CommandId.is(id)).toBe(true)
      expect(dateOf(id)).toBeUndefined()
      expect(undatedId(...others) === id).toBe(JSON.stringify(others) === JSON.stringify(parts))
    },
  )
})

describe('a ULID of a caller', () => {
  property.prop([arbitrary(CommandId).filter((id) => !id.startsWith('k'))])(
    'is taken in either case',
    (id) => {
      expect(fromUlid(id)).toBe(id)
      expect(fromUlid(id.toLowerCase())).toBe(id)
    },
  )
  property.prop([
    fc.oneof(
      fc.string(),
      arbitrary(CommandId).map((id) => `${id}0`),
      fc.stringMatching(/^.{26}$/),
    ),
  ])('is an id, or it is none', (input) => {
    const id = fromUlid(input)
    expect(id === undefined || CommandId.is(id)).toBe(true)
  })
  test('beyond the range of times is none', () => {
    expect(fromUlid('80000000000000000000000000')).toBeUndefined()
    expect(fromUlid('ZZZZZZZZZZZZZZZZZZZZZZZZZZ')).toBeUndefined()
  })
  test('of letters that only look alike is none', () => {
    expect(fromUlid('01KDVDQY00000000000000000\u017f')).toBeUndefined()
    expect(fromUlid('01KDVDQY00000000000000000U')).toBeUndefined()
  })
})

describe('the id of a caller’s key', () => {
  property.prop([arbitrary(CommandId).filter((id) => !id.startsWith('k')), fc.array(fc.string())])(
    'keeps the date of a ULID, and is another in another scope',
    (ulid, scope) => {
      const id = idOfKey(ulid, ...scope)
      expect(dateOf(id)).toBe(dateOf(ulid))
      expect(idOfKey(ulid, ...scope, '')).not.toBe(id)
    },
  )
  test('has no date where the key has none', () => {
    expect(dateOf(idOfKey('my-key', 'POST', '/orders'))).toBeUndefined()
    expect(idOfKey('my-key', 'POST', '/orders')).toBe(undatedId('POST', '/orders', 'my-key'))
  })
})
