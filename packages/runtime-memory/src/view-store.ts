/**
 * The rows of views in memory: per generation one table by partition key, and the inverted one beside it.
 *
 * Sort keys are ordered by their UTF-8 bytes, as DynamoDB orders them.
 */
import {
  E,
  type Generation,
  type Position,
  type Row,
  type RowQuery,
  type Sources,
  type StreamName,
  type ViewStore,
} from '@everfold/core'
import { failuresOf } from './failing.ts'
import { freeze } from './frozen.ts'
import type { Kernel } from './kernel.ts'

interface Table {
  /** Rows by partition key and sort key. */
  readonly rows: Map<string, Shelf>
  /** The same rows with the roles of the keys exchanged. */
  readonly inverted: Map<string, Shelf>
  readonly progress: Map<StreamName, number>
}

/** The rows of one partition and their keys in order. */
interface Shelf {
  readonly keys: Array<string>
  readonly rows: Map<string, Row>
}

const { reading, writing } = failuresOf('the view store')

type Rows = { readonly rows: ReadonlyArray<Row>; readonly after?: string }

export interface ViewStoreOptions {
  /** Told of every row that was stored. */
  readonly stored?: (generation: Generation, row: Row) => void
  /** Told of all progress. */
  readonly advanced?: (generation: Generation, position: Position) => void
}

export const memoryViewStore = (kernel: Kernel, options: ViewStoreOptions = {}): ViewStore => {
  const perform = kernel.port('view-store')
  const tables = new Map<string, Table>()
  const active = new Map<string, string>()
  const table = (generation: Generation): Table => {
    const name = nameOf(generation)
    let found = tables.get(name)
    if (found === undefined)
      tables.set(name, (found = { rows: new Map(), inverted: new Map(), progress: new Map() }))
    return found
  }
  return {
    get:
      (generation, { pk, sk }) =>
      () =>
        perform(
          'get',
          `${nameOf(generation)} ${pk} ${sk}`,
          () => E.right(table(generation).rows.get(pk)?.rows.get(sk)),
          reading,
        ),
    query: (generation, query) => () =>
      perform(
        'query',
        `${nameOf(generation)} ${query.pk} ${query.after ?? ''}`,
        () => E.right(select(table(generation), query)),
        reading,
      ),
    put: (generation, row, expected) => () =>
      perform(
        'put',
        `${nameOf(generation)} ${row.pk} ${row.sk}`,
        () => {
          const outcome = put(table(generation), row, expected)
          if (outcome === 'stored') options.stored?.(generation, row)
          return E.right(outcome)
        },
        writing,
      ),
    progress: (generation, stream) => () =>
      perform(
        'progress',
        `${nameOf(generation)} ${stream}`,
        () => E.right(table(generation).progress.get(stream) ?? 0),
        reading,
      ),
    progresses: (generation, cursor) => () =>
      perform(
        'progresses',
        `${nameOf(generation)} ${cursor ?? ''}`,
        () => E.right(listed(table(generation).progress, Number(cursor ?? 0))),
        reading,
      ),
    advance: (generation, stream, commit) => () =>
      perform(
        'advance',
        `${nameOf(generation)} ${stream}@${commit}`,
        () => {
          const { progress } = table(generation)
          progress.set(stream, Math.max(commit, progress.get(stream) ?? 0))
          options.advanced?.(generation, { stream, commit })
          return E.right(undefined)
        },
        writing,
      ),
    active: (projection) => () =>
      perform('active', projection, () => E.right(active.get(projection)), reading),
    activate: (generation) => () =>
      perform(
        'activate',
        nameOf(generation),
        () => {
          active.set(generation.projection, generation.generation)
          return E.right(undefined)
        },
        writing,
      ),
    drop: (generation) => () =>
      perform(
        'drop',
        nameOf(generation),
        () => {
          tables.delete(nameOf(generation))
          return E.right(undefined)
        },
        writing,
      ),
  }
}

/** The separator is escaped in the projection's name, so that no two generations have one name. */
const nameOf = ({ projection, generation }: Generation): string =>
  `${projection.replace(/[%#]/g, encodeURIComponent)}#${generation}`

/** How many streams one page names. */
const PAGE = 100

/** A stream keeps the place at which it first came, so the cursor is a number of streams. */
const listed = (
  progress: Table['progress'],
  passed: number,
): { readonly streams: ReadonlyArray<Position>; readonly cursor?: string } => {
  const next = passed + PAGE
  const streams = [...progress].slice(passed, next).map(([stream, commit]) => ({ stream, commit }))
  return next < progress.size ? { streams, cursor: String(next) } : { streams }
}

const put = (table: Table, row: Row, expected: Sources | undefined): 'stored' | 'conflict' => {
  const stored = table.rows.get(row.pk)?.rows.get(row.sk)
  if (!sameSources(stored?.sources, expected)) return 'conflict'
  freeze(row)
  shelve(table.rows, row.pk, row.sk, row)
  shelve(table.inverted, row.sk, row.pk, row)
  return 'stored'
}

const sameSources = (one: Sources | undefined, other: Sources | undefined): boolean => {
  if (one === undefined || other === undefined) return one === other
  const entries = Object.entries(one)
  return (
    entries.length === Object.keys(other).length &&
    entries.every(
      ([stream, commit]) => Object.hasOwn(other, stream) && other[stream as keyof Sources] === commit,
    )
  )
}

const shelve = (shelves: Map<string, Shelf>, partition: string, key: string, row: Row): void => {
  let shelf = shelves.get(partition)
  if (shelf === undefined) shelves.set(partition, (shelf = { keys: [], rows: new Map() }))
  if (!shelf.rows.has(key)) shelf.keys.splice(firstAtLeast(shelf.keys, key), 0, key)
  shelf.rows.set(key, row)
}

const select = (table: Table, query: RowQuery): Rows => {
  const { index, pk, skPrefix = '', after, limit, descending = false } = query
  const shelf = (index === 'inverted' ? table.inverted : table.rows).get(pk)
  const rows: Array<Row> = []
  if (shelf === undefined) return { rows }
  const { keys } = shelf
  const first = firstAtLeast(keys, skPrefix)
  let last = first
  while (last < keys.length && keys[last]?.startsWith(skPrefix) === true) last += 1
  const step = descending ? -1 : 1
  let at = descending ? last - 1 : first
  if (after !== undefined) {
    const place = firstAtLeast(keys, after)
    at = descending ? Math.min(at, place - 1) : Math.max(at, keys[place] === after ? place + 1 : place)
  }
  let seen: string | undefined
  for (; at >= first && at < last; at += step) {
    const key = keys[at] ?? ''
    const row = shelf.rows.get(key)
    if (row?.value === undefined) continue
    if (rows.length === limit) return seen === undefined ? { rows } : { rows, after: seen }
    rows.push(row)
    seen = key
  }
  return { rows }
}

/** The place of the first key that is not below `key`. */
const firstAtLeast = (keys: ReadonlyArray<string>, key: string): number => {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(keys[middle] ?? '', key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The order of the UTF-8 bytes; it differs from the language's own only where surrogates meet U+E000 to U+FFFF. */
const compare = (one: string, other: string): number => {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [one.charCodeAt(at), other.charCodeAt(at)]
    if (left === right) continue
    if (isSurrogate(left) === isSurrogate(right)) return left - right
    return isSurrogate(left) ? 1 : -1
  }
  return one.length - other.length
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff
