/**
 * A view store for one projector, which remembers what it knows: a commit that touches one row is then 2 requests
 * instead of 4, the row put and the progress written.
 *
 * Progress never goes back and the numbers of a row never do, so what was once seen is a lower bound forever. With an
 * older progress than the stored one the projector takes in again what others have taken in, which changes no row. An
 * older row is refused by the condition of its put, and read anew. Rows are still written before the progress.
 *
 * Two things it is not for. Who waits for a progress must read the stored one. And the name of a dropped generation
 * may not be used again while a projector runs that remembers it: it would believe in rows that are gone.
 */
import { E, type Generation, type Row, type RowKey, type StreamName, type ViewStore } from '@everfold/core'
import { recent } from './recent.ts'

export interface WarmViewsOptions {
  /** Room for rows, in characters of their JSON; 16 million unless told. */
  readonly rowCharacters?: number
  /** How many streams' progress is remembered; 50,000 unless told. */
  readonly streams?: number
}

export const warmViews = (
  views: ViewStore,
  { rowCharacters = 16_000_000, streams = 50_000 }: WarmViewsOptions = {},
): ViewStore => {
  /** As JSON, so that whoever holds a row cannot change what is remembered. */
  const rows = recent<string>(rowCharacters)
  const progress = recent<number>(streams)
  const remember = (name: string, row: Row) => {
    const json = JSON.stringify(row)
    rows.set(name, json, json.length)
  }
  return {
    ...views,
    get: (generation, key) => async () => {
      const name = rowName(generation, key)
      const known = rows.get(name)
      if (known !== undefined) return E.right(JSON.parse(known) as Row)
      const found = await views.get(generation, key)()
      if (E.isRight(found) && found.right !== undefined) remember(name, found.right)
      return found
    },
    put: (generation, row, expected) => async () => {
      const name = rowName(generation, row)
      rows.delete(name)
      const put = await views.put(generation, row, expected)()
      if (E.isRight(put) && put.right === 'stored') remember(name, row)
      return put
    },
    progress: (generation, stream) => async () => {
      const name = progressName(generation, stream)
      const known = progress.get(name)
      if (known !== undefined) return E.right(known)
      const found = await views.progress(generation, stream)()
      if (E.isRight(found)) progress.set(name, Math.max(found.right, progress.get(name) ?? 0))
      return found
    },
    advance: (generation, stream, commit) => async () => {
      const advanced = await views.advance(generation, stream, commit)()
      const name = progressName(generation, stream)
      if (E.isRight(advanced)) progress.set(name, Math.max(commit, progress.get(name) ?? 0))
      return advanced
    },
    drop: (generation) => () => {
      rows.clear()
      progress.clear()
      return views.drop(generation)()
    },
  }
}

const rowName = ({ projection, generation }: Generation, { pk, sk }: RowKey): string =>
  JSON.stringify([projection, generation, pk, sk])

const progressName = ({ projection, generation }: Generation, stream: StreamName): string =>
  JSON.stringify([projection, generation, stream])
