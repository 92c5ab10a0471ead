import { decode, E, StoredEvent } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'

const anyEvent = fc.record(
  { _tag: fc.string(), _v: fc.integer({ min: 1 }), payload: fc.jsonValue() },
  { requiredKeys: ['_tag'], noNullPrototype: true },
)

describe('a stored event', () => {
  property.prop([anyEvent])('is whatever has a tag, decoded to the very value it is', (event) => {
    const decoded = decode(StoredEvent, event)
    expect(E.isRight(decoded) && decoded.right).toBe(event)
  })

  test.each([null, [], 'Opened', {}, { _tag: 1 }, { _tag: 'Opened', _v: '2' }, { _tag: 'Opened', _v: 0 }])(
    'is not %j',
    (input) => {
      expect(decode(StoredEvent, input)).toEqual(
        E.left({ _tag: 'InvalidInput', errors: [{ pointer: '', detail: 'is not an event' }] }),
      )
    },
  )
})
