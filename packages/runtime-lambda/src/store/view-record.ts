/** What an item of the views table holds: for whoever watches the table itself, as a simulation does. */
import { E, type Generation, type Position, type Row, type StreamName } from '@everfold/core'
import { plainItem } from '../change-stream/stream-image.ts'
import { type RowItem, rowsOf } from './view-item.ts'

export type ViewRecord =
  | { readonly _tag: 'Row'; readonly generation: Generation; readonly row: Row }
  /** The generation has wholly taken in the stream, up to this commit. */
  | { readonly _tag: 'Progress'; readonly generation: Generation; readonly position: Position }

/** An item in DynamoDB's typed JSON; undefined for one that is neither a row nor a progress. */
export const viewRecord = (image: unknown): ViewRecord | undefined => {
  const plain = plainItem(image, '')
  if (E.isLeft(plain)) return undefined
  const { pk, commit } = plain.right
  const named = /^(?<projection>[^#@]*)#(?<generation>[^#@]*)(?<kind>[#@])(?<rest>.*)$/s.exec(
    String(pk),
  )?.groups
  if (named === undefined) return undefined
  const { projection = '', generation: name = '', kind, rest = '' } = named
  const generation = { projection: unescaped(projection), generation: unescaped(name) }
  if (kind === '@')
    return typeof commit === 'number'
      ? { _tag: 'Progress', generation, position: { stream: rest as StreamName, commit } }
      : undefined
  const rows = rowsOf(generation, [plain.right as unknown as RowItem])
  const row = E.isLeft(rows) ? undefined : rows.right[0]
  return row === undefined ? undefined : { _tag: 'Row', generation, row }
}

/** The separators are escaped within names, with their codes. */
const unescaped = (name: string): string => decodeURIComponent(name)
