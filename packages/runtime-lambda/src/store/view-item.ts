/**
 * A row of a view as an item of DynamoDB.
 *
 * The value is JSON in one text. It reads back exactly, which a map of DynamoDB's own types does not promise: its
 * numbers end at 1e126 and its nesting at 32 levels. In the console it is read as it is. The sources are a map from stream to number,
 * because DynamoDB compares maps exactly and whatever the order of their entries; so the condition of a put is one
 * comparison, and costs no attribute of its own.
 */
import {
  E,
  type Fault,
  type Generation,
  type Json,
  type Row,
  type Sources,
  unavailable,
} from '@everfold/core'
import { itemKey, rowsPrefix } from './view-keys.ts'

export interface RowItem {
  readonly pk: string
  readonly sk: string
  /** Only where there is a value: a tombstone leaves the index. */
  readonly ipk?: string
  readonly value?: string
  readonly sources: Sources
}

export const rowItem = (generation: Generation, row: Row): RowItem => ({
  ...itemKey(generation, row),
  ...(row.value === undefined
    ? {}
    : { ipk: `${rowsPrefix(generation)}${row.sk}`, value: JSON.stringify(row.value) }),
  sources: row.sources,
})

export const rowsOf = (
  generation: Generation,
  items: ReadonlyArray<RowItem>,
): E.Either<Fault, ReadonlyArray<Row>> => {
  const prefix = rowsPrefix(generation).length
  return E.tryCatch(
    () =>
      items.map(({ pk, sk, value, sources }) => ({
        pk: pk.slice(prefix),
        sk,
        ...(value === undefined ? {} : { value: JSON.parse(value) as Json }),
        sources,
      })),
    (cause) => unavailable('rows of views that are no JSON', cause),
  )
}

/** As DynamoDB counts it. Source: DynamoDB Developer Guide, item sizes and formats (2026-11). */
export const itemBytes = ({ pk, sk, ipk, value, sources }: RowItem): number => {
  let bytes = Buffer.byteLength(`pk${pk}sk${sk}sources`) + MAP_BYTES
  if (ipk !== undefined) bytes += Buffer.byteLength(`ipk${ipk}`)
  if (value !== undefined) bytes += Buffer.byteLength(`value${value}`)
  for (const [stream, number] of Object.entries(sources))
    bytes += Buffer.byteLength(stream) + Math.ceil(String(number).length / 2) + ENTRY_BYTES
  return bytes
}

const MAP_BYTES = 3
/** One for the entry, and one of the number itself beside its digits. */
const ENTRY_BYTES = 2

/** An item in the form in which the SDK hands on what a failed condition has met. */
export type RawItem = {
  readonly value?: { readonly S?: string }
  readonly sources?: { readonly M?: { readonly [stream: string]: { readonly N?: string } } }
}

/** Whether what is stored under the item's key is this very item. */
export const isStored = (item: RowItem, stored: RawItem | undefined): boolean => {
  if (stored === undefined || stored.value?.S !== item.value) return false
  const numbers = stored.sources?.M ?? {}
  const entries = Object.entries(item.sources)
  return (
    entries.length === Object.keys(numbers).length &&
    entries.every(([stream, number]) => Number(numbers[stream]?.N) === number)
  )
}
