/**
 * The stream of a table: one record for each write that changed an item, in shards.
 *
 * A partition key belongs to one open shard by its hash. Law: records of one item are in the order of its writes. For
 * nothing else is there an order: a record may be late, and records of other items then stand before it.
 *
 * Source: DynamoDB Developer Guide, "Change data capture for DynamoDB Streams" (2026-11).
 */
import { DYNAMODB_STREAMS } from '../../limits.ts'
import { type Item, isEqualItem } from './attribute.ts'
import { itemBytes } from './item-size.ts'

export type StreamView = 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES' | 'KEYS_ONLY'

/** A change of one item: what was there, and what is. */
export interface Change {
  readonly table: string
  /** The text of its partition key. */
  readonly partition: string
  readonly key: Item
  readonly before: Item | undefined
  readonly after: Item | undefined
  /** Made by the table's time to live, not by a request. */
  readonly isExpiry?: boolean
}

/** A record without its place. */
interface Draft {
  readonly event: 'INSERT' | 'MODIFY' | 'REMOVE'
  /** One text for one item. */
  readonly item: string
  readonly timeMs: number
  readonly keys: Item
  readonly newImage?: Item
  readonly oldImage?: Item
  readonly sizeBytes: number
  readonly isExpiry: boolean
}

export interface StreamRecord extends Draft {
  readonly sequenceNumber: string
}

/** A record that is late: it stands in the shard from this time on, or once others have gone before it. */
interface Late {
  readonly draft: Draft
  readonly dueMs: number
}

export interface Shard {
  readonly id: string
  readonly parent?: string
  /** The hashes of partition keys from the first one up to the second. */
  readonly hashes: readonly [from: number, to: number]
  /** Its place in the order of numbers, in which it begins. */
  readonly start: string
  /** When it was closed, and its last number. */
  readonly closed?: { readonly timeMs: number; readonly end: string }
  readonly records: ReadonlyArray<StreamRecord>
  /** The last number that is not among them any more, because it was trimmed. */
  readonly gone: string
  readonly late?: Late
}

export interface Stream {
  readonly arn: string
  /** When it was switched on, in ISO 8601. */
  readonly label: string
  readonly createdMs: number
  readonly view: StreamView
  readonly isEnabled: boolean
  readonly shards: ReadonlyArray<Shard>
  /** How many numbers were given. */
  readonly numbered: number
}

export const REGION = 'us-east-1'
const ACCOUNT = '000000000000'

export const tableArn = (table: string): string => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${table}`

const HASHES = 2 ** 32

export const newStream = (table: string, view: StreamView, nowMs: number, shards: number): Stream => {
  const label = new Date(nowMs).toISOString().replace('Z', '')
  const empty = {
    arn: `${tableArn(table)}/stream/${label}`,
    label,
    createdMs: nowMs,
    view,
    isEnabled: true,
    numbered: 0,
  }
  const cuts = Array.from({ length: shards }, (_, at) => at)
  return cuts.reduce<Stream>(
    (stream, at) =>
      opened(stream, nowMs, [Math.floor((at * HASHES) / shards), Math.floor(((at + 1) * HASHES) / shards)]),
    { ...empty, shards: [] },
  )
}

/** Of 21 digits, the least that the service gives, so that they are ordered as texts, too. */
const numberText = (number: number): string => `1${String(number).padStart(20, '0')}`

const opened = (stream: Stream, nowMs: number, hashes: Shard['hashes'], parent?: string): Stream => {
  const numbered = stream.numbered + 1
  const serial = String(stream.shards.length + 1).padStart(8, '0')
  const shard: Shard = {
    id: `shardId-${String(nowMs).padStart(20, '0')}-${serial}`,
    ...(parent === undefined ? {} : { parent }),
    hashes,
    start: numberText(numbered),
    records: [],
    gone: '',
  }
  return { ...stream, numbered, shards: [...stream.shards, shard] }
}

export const shardOf = (stream: Stream, hash: number): Shard | undefined =>
  stream.shards.find(({ closed, hashes: [from, to] }) => closed === undefined && from <= hash && hash < to)

const replaced = (stream: Stream, shard: Shard): Stream => ({
  ...stream,
  shards: stream.shards.map((one) => (one.id === shard.id ? shard : one)),
})

/** The record of a change; none where nothing has changed. */
export const draftOf = ({ view }: Stream, change: Change, nowMs: number): Draft | undefined => {
  const { key, before, after } = change
  if (isEqualItem(before, after)) return undefined
  const newImage = view.startsWith('NEW_') ? after : undefined
  const oldImage = view.endsWith('OLD_IMAGES') || view === 'OLD_IMAGE' ? before : undefined
  return {
    event: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
    item: JSON.stringify(key),
    timeMs: nowMs,
    keys: key,
    ...(newImage === undefined ? {} : { newImage }),
    ...(oldImage === undefined ? {} : { oldImage }),
    sizeBytes:
      itemBytes(key) +
      (newImage === undefined ? 0 : itemBytes(newImage)) +
      (oldImage === undefined ? 0 : itemBytes(oldImage)),
    isExpiry: change.isExpiry === true,
  }
}

/** The record of one write, which `isLate` holds back for others of its shard to go before it. */
export const recorded = (
  stream: Stream,
  hash: number,
  draft: Draft,
  { nowMs, isLate }: { readonly nowMs: number; readonly isLate: boolean },
): Stream => {
  const begun = caughtUpWith(settled(stream, nowMs), hash, draft.item)
  if (!isLate) return caughtUp(put(begun, hash, draft), hash)
  const before = caughtUp(begun, hash)
  const shard = shardOf(before, hash)
  const late = { draft, dueMs: nowMs + DYNAMODB_STREAMS.lateMs }
  return shard === undefined ? before : replaced(before, { ...shard, late })
}

/** A late record stands in its shard before the next of its own item in any case. */
const caughtUpWith = (stream: Stream, hash: number, item: string): Stream =>
  shardOf(stream, hash)?.late?.draft.item === item ? caughtUp(stream, hash) : stream

/**
 * The stream at this time: late records stand in their shards once they are due. Whoever reads and whoever writes
 * begins with it, so that what was once read stays as it is.
 */
export const settled = (stream: Stream, nowMs: number): Stream => {
  const due = stream.shards.flatMap(({ late, hashes: [from] }) =>
    late !== undefined && late.dueMs <= nowMs ? [{ dueMs: late.dueMs, from }] : [],
  )
  return due
    .toSorted((one, other) => one.dueMs - other.dueMs)
    .reduce((before, { from }) => caughtUp(before, from), stream)
}

const caughtUp = (stream: Stream, hash: number): Stream => {
  const shard = shardOf(stream, hash)
  if (shard?.late === undefined) return stream
  const { late, ...rest } = shard
  return put(replaced(stream, rest), hash, late.draft)
}

const put = (stream: Stream, hash: number, draft: Draft): Stream => {
  const shard = shardOf(stream, hash)
  if (shard === undefined) return stream
  const numbered = stream.numbered + 1
  const record = { ...draft, sequenceNumber: numberText(numbered) }
  const first = shard.records.findIndex(({ timeMs }) => !isTrimmed(timeMs, draft.timeMs))
  const trimmed = first < 0 ? shard.records.length : first
  const gone = shard.records[trimmed - 1]?.sequenceNumber ?? shard.gone
  return replaced(
    { ...stream, numbered },
    { ...shard, gone, records: [...shard.records.slice(trimmed), record] },
  )
}

export const isTrimmed = (timeMs: number, nowMs: number): boolean =>
  timeMs <= nowMs - DYNAMODB_STREAMS.retentionMs

/** The shard is closed, and its partition keys go on in two children. */
export const splitShard = (stream: Stream, id: string, nowMs: number): Stream => {
  const [from, to] = stream.shards.find((shard) => shard.id === id)?.hashes ?? [0, 0]
  const open = stream.shards.find((shard) => shard.id === id && shard.closed === undefined)
  if (open === undefined || to - from < 2) return stream
  const whole = caughtUp(settled(stream, nowMs), from)
  const shard = whole.shards.find((one) => one.id === id) ?? open
  const end = shard.records.at(-1)?.sequenceNumber ?? shard.start
  const parent = replaced(whole, { ...shard, closed: { timeMs: nowMs, end } })
  const middle = Math.floor((from + to) / 2)
  return opened(opened(parent, nowMs, [from, middle], id), nowMs, [middle, to], id)
}
