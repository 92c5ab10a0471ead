import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { callsOf, type Entry, entryBytes, entryOf } from '../../src/relay/entries.ts'
import { PublishedEvent, publishedEvent, publishedEvents } from '../../src/relay/published-event.ts'
import { must } from '../must.ts'
import { commitOf, tally } from '../tally.ts'
import { memoryClaimCheck } from './memory-claim-check.ts'

const LIMIT = 1_000_000

const entries = (sizes: ReadonlyArray<number>): ReadonlyArray<Entry> =>
  sizes.map((sizeBytes, at) => ({ input: { Detail: String(at) }, sizeBytes }))

const sizesOf = (calls: ReadonlyArray<ReadonlyArray<Entry>>) =>
  calls.map((call) => call.map(({ sizeBytes }) => sizeBytes))

const published = (note: string) => {
  const [one] = publishedEvents(commitOf(tally('a'), 1, [note], 1))
  if (one === undefined) throw new Error('no event')
  return one
}

describe('a call', () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: LIMIT - 1 }))
  property.prop([fc.array(size, { maxLength: 60 })])(
    'never goes beyond the limits, and all entries are in one, in their order',
    (sizes) => {
      const calls = callsOf(entries(sizes))
      expect(calls.flat()).toEqual(entries(sizes))
      for (const call of sizesOf(calls)) {
        expect(call.length).toBeGreaterThan(0)
        expect(call.length).toBeLessThanOrEqual(10)
        expect(call.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(LIMIT)
      }
    },
  )

  property.prop([fc.array(size, { maxLength: 60 })])('is as full as the next entry allows', (sizes) => {
    const calls = sizesOf(callsOf(entries(sizes)))
    for (const [at, call] of calls.entries()) {
      const next = calls[at + 1]?.[0]
      if (next === undefined || call.length === 10) continue
      expect(call.reduce((sum, bytes) => sum + bytes, next)).toBeGreaterThanOrEqual(LIMIT)
    }
  })

  test('holds one byte less than the limit, and not the limit', () => {
    expect(sizesOf(callsOf(entries([LIMIT - 100, 99])))).toEqual([[LIMIT - 100, 99]])
    expect(sizesOf(callsOf(entries([LIMIT - 100, 100])))).toEqual([[LIMIT - 100], [100]])
  })
})

describe('an entry', () => {
  property.prop([fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.array(fc.string())])(
    'is as large as its texts in UTF-8, and 14 bytes for a time',
    (detail, type, resources) => {
      const input = { Source: 's', DetailType: type, Detail: detail, Resources: resources }
      const bytes = new TextEncoder().encode(['s', type, detail, ...resources].join('')).length
      expect(entryBytes(input)).toBe(bytes)
      expect(entryBytes({ ...input, Time: new Date(0) })).toBe(bytes + 14)
    },
  )

  const publication = { bus: 'bus', source: 'everfold.test' }
  const roomOf = async () => LIMIT - must(await entryOf(publication, published(''))).sizeBytes

  test('names its source, its type, its time and all that is known of the event', async () => {
    const { input } = must(await entryOf(publication, published('x')))
    const id = '01KDVDNA00GR85XHJ5XGSVVK6A'
    expect({ ...input, Detail: JSON.parse(input.Detail ?? '') }).toEqual({
      EventBusName: 'bus',
      Source: 'everfold.test',
      DetailType: 'tally.Counted',
      Time: new Date(1_767_225_600_001),
      Detail: {
        id: 'tally/a@1.0',
        stream: 'tally/a',
        commit: 1,
        version: 1,
        timeMs: 1_767_225_600_001,
        commandId: id,
        schema: 1,
        metadata: { correlationId: id, tenant: 'acme' },
        event: { _tag: 'Counted', note: 'x' },
      },
    })
  })

  property.prop([fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }), fc.nat(200)], { numRuns: 50 })(
    'has a type of at most 128 characters: as it stands where it can, or else its beginning and its hash',
    async (tag, more) => {
      const named = { ...published('x'), event: { _tag: tag + 'x'.repeat(more) } }
      const { input } = must(await entryOf(publication, named))
      const whole = `tally.${named.event._tag}`
      const type = input.DetailType ?? ''
      expect(type.length).toBeLessThanOrEqual(128)
      expect(type.isWellFormed()).toBe(true)
      if (whole.length <= 128 && whole.isWellFormed()) expect(type).toBe(whole)
      else expect(type).toMatch(/^tally\..*~[\w-]+$/s)
      const other = { ...named, event: { _tag: `${named.event._tag}2` } }
      expect(must(await entryOf(publication, other)).input.DetailType).not.toBe(type)
    },
  )

  test.each([
    ['one-byte', 'x', 1],
    ['four-byte', '\u{1F600}', 4],
  ])(
    'goes whole up to the last byte below the limit, and beyond it by claim check: %s text',
    async (_, unit, bytes) => {
      const { claimCheck, objects } = memoryClaimCheck()
      const fits = unit.repeat(Math.floor(((await roomOf()) - 1) / bytes))
      const whole = must(await entryOf({ ...publication, claimCheck }, published(fits)))
      expect(whole.sizeBytes).toBeLessThan(LIMIT)
      expect(objects.size).toBe(0)
      const large = published(fits + unit)
      const claimed = must(await entryOf({ ...publication, claimCheck }, large))
      expect(claimed.sizeBytes).toBeLessThan(1000)
      expect(objects.size).toBe(1)
      const detail: unknown = JSON.parse(claimed.input.Detail ?? '')
      expect(must(await publishedEvent(detail, claimCheck)())).toEqual(large)
      expect(await publishedEvent(detail)()).toMatchObject({ left: { _tag: 'Unavailable' } })
      expect(await entryOf(publication, large)).toMatchObject({
        left: { _tag: 'TooLarge', limitBytes: LIMIT - 1 },
      })
    },
  )

  test('that is none is invalid input, with its path', async () => {
    expect(await publishedEvent({ ...published('x'), event: 5 })()).toMatchObject({
      left: { _tag: 'InvalidInput', errors: [{ pointer: '/event' }] },
    })
    expect(await publishedEvent(undefined)()).toMatchObject({ left: { _tag: 'InvalidInput' } })
    expect(PublishedEvent.is(published('x'))).toBe(true)
  })
})
