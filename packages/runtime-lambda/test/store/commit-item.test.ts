import { type CommandId, type Commit, deriveId, E, streamName, undatedId } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { commitOf, itemBytes, itemOf } from '../../src/store/commit-item.ts'
import { packIds, unpackIds } from '../../src/store/packed-ids.ts'

const time = fc.nat({ max: 2 ** 47 })
const id: fc.Arbitrary<CommandId> = fc.oneof(
  fc.tuple(time, fc.string()).map(([timeMs, part]) => deriveId(timeMs, part)),
  fc.string().map((part) => undatedId(part)),
)
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const event = fc.record({ _tag: fc.string({ minLength: 1 }), payload: json }, { noNullPrototype: true })

const metadata = fc.record(
  {
    correlationId: fc.string({ minLength: 1, unit: 'binary' }),
    causationId: fc.string({ minLength: 1 }),
    tenant: fc.string({ minLength: 1 }),
    actor: fc.string({ minLength: 1 }),
    trace: fc.string({ minLength: 1 }),
    process: fc.constant(streamName('saga', '1')),
  },
  { requiredKeys: ['correlationId'], noNullPrototype: true },
)

const answer = fc.record(
  {
    id,
    fingerprint: fc.constant('1AAAAAAAAAAAA'),
    timeMs: time,
    dateMs: time,
    marked: fc.constant(true as const),
    metadata,
    events: fc.array(event, { maxLength: 4 }),
    rejection: json,
  },
  { requiredKeys: ['id', 'fingerprint', 'timeMs', 'metadata', 'events'], noNullPrototype: true },
)

const remembered = (number: number) =>
  fc
    .tuple(id, fc.integer({ min: 1, max: number }), time)
    .map(([one, commit, stampMs]) =>
      one.length === 26 ? ([one, commit] as const) : ([one, commit, stampMs] as const),
    )

const commit: fc.Arbitrary<Commit> = fc.integer({ min: 1, max: 2 ** 40 }).chain((number) =>
  fc.record(
    {
      stream: fc.string({ minLength: 1, unit: 'binary' }).map((name) => streamName('thing', name)),
      number: fc.constant(number),
      version: fc.nat(),
      timeMs: time,
      latestIdMs: time,
      answers: fc.array(answer, { minLength: 1, maxLength: 12 }),
      snapshot: fc.record(
        {
          fingerprint: fc.constant('1BBBBBBBBBBBB'),
          state: json,
          memory: fc.record(
            { ids: fc.array(remembered(number)), horizonMs: time, marking: fc.constant(true as const) },
            { requiredKeys: ['ids'], noNullPrototype: true },
          ),
          sizeBytes: fc.nat(),
        },
        { noNullPrototype: true },
      ),
    },
    {
      requiredKeys: ['stream', 'number', 'version', 'timeMs', 'latestIdMs', 'answers'],
      noNullPrototype: true,
    },
  ),
)

const idOf = (at: number) => deriveId(1_767_225_600_000 + at, String(at))

describe('a commit as an item', () => {
  property.prop([commit])('reads back as the very commit it was made of', (one) => {
    expect(commitOf({ ...itemOf(one) })).toStrictEqual(E.right(one))
  })

  property.prop([fc.array(remembered(1000))])('packs its remembered ids without loss', (ids) => {
    expect(unpackIds(packIds(ids, 1000), 1000)).toStrictEqual(ids)
  })

  property.prop([fc.uint8Array({ maxLength: 200 })])(
    'takes any bytes for packed ids, or refuses them',
    (bytes) => {
      const ids = unpackIds(bytes, 1000)
      if (ids !== undefined) expect(unpackIds(packIds(ids, 1000), 1000)).toStrictEqual(ids)
    },
  )

  property.prop([commit, fc.nat(), json])('is refused with the path of what is broken', (one, at, broken) => {
    const item: Record<string, unknown> = { ...itemOf(one) }
    const names = Object.keys(item)
    const name = names[at % names.length] ?? 'a'
    item[name] = broken
    const read = commitOf(item)
    if (E.isLeft(read)) for (const { pointer } of read.left) expect(pointer).toMatch(/^\/[a-z]+/)
    else expect(commitOf({ ...itemOf(read.right) })).toStrictEqual(read)
  })

  test('takes 18 bytes for a remembered id and leaves out what follows from the rest', () => {
    const stream = streamName('order', 'order-1')
    const plain: Commit = {
      stream,
      number: 1000,
      version: 1000,
      timeMs: 1_767_225_600_000,
      latestIdMs: 1_767_225_600_000,
      answers: [
        {
          id: idOf(0),
          fingerprint: '1AAAAAAAAAAA',
          timeMs: 1_767_225_600_000,
          metadata: { correlationId: idOf(0) },
          events: [{ _tag: 'ItemAdded', sku: 'apple', quantity: 2, priceMinor: 250 }],
        },
      ],
    }
    expect(itemBytes(itemOf(plain))).toBeLessThan(190)
    const ids = Array.from({ length: 64 }, (_, at) => [idOf(at), 1000 - at] as const)
    expect(packIds(ids, 1000).length).toBeLessThanOrEqual(64 * 18)
  })
})
