/**
 * What the rows of views have to be: S6 and S7 at every write, E2 and E7 in the end.
 *
 * The oracle folds each row from its own copy of the log, up to the numbers that the row itself names.
 */
import {
  canonical,
  generationOf,
  type Json,
  type Projection,
  type Row,
  type RowChange,
  type RowKey,
  type Sources,
  type StreamName,
  sourceOf,
} from '@everfold/core'
import type { Judge } from './judge.ts'
import type { Book, LogBook } from './log-book.ts'
import { isSame } from './same.ts'

export interface RowBook {
  /** A row was stored. */
  stored(this: void, generation: string, row: Row): void
  /** The view claims to have taken in this stream up to this number. */
  advanced(this: void, generation: string, stream: StreamName, number: number): void
  progressOf(this: void, generation: string, stream: StreamName): number
  /** Everything that was appended is in every view, and nothing else is. */
  complete(this: void): void
}

/** The name under which a projection's generation goes. */
export const nameOf = (projection: Projection): string => {
  const { projection: name, generation } = generationOf(projection)
  return `${name}#${generation}`
}

interface View {
  readonly projection: Projection
  readonly rows: Map<string, Row>
  readonly progress: Map<StreamName, number>
  /** By stream, for each commit the rows that it changes. */
  readonly changes: Map<StreamName, Array<ReadonlyArray<Change>>>
}

interface Change extends RowChange {
  readonly row: string
}

const rowOf = ({ pk, sk }: RowKey): string => `${pk}\u0000${sk}`

export const rowBook = (
  projections: ReadonlyArray<Projection>,
  { book, books }: Pick<LogBook, 'book' | 'books'>,
  { broken }: Judge,
): RowBook => {
  const views = new Map<string, View>(
    projections.map((projection) => [
      nameOf(projection),
      { projection, rows: new Map(), progress: new Map(), changes: new Map() },
    ]),
  )
  const stored = (name: string, row: Row) => {
    const view = views.get(name)
    if (view === undefined) return
    const before = view.rows.get(rowOf(row))
    view.rows.set(rowOf(row), row)
    const place = `the row ${row.pk} ${row.sk} of ${name}`
    for (const [stream, number] of entriesOf(before?.sources ?? {}))
      if ((row.sources[stream] ?? 0) < number)
        return broken(
          'S6',
          `a view never goes back, and ${place} went from ${stream}@${number} to ${row.sources[stream] ?? 0}`,
        )
    for (const [stream, number] of entriesOf(row.sources))
      if (number > (book(stream)?.commits.length ?? 0))
        return broken('S6', `a view is never ahead of the log, and ${place} has taken in ${stream}@${number}`)
    const folded = foldOf(view, book, rowOf(row), row.sources)
    if (!isSame(folded, row.value))
      broken('S6', `a row is what the log folds to, and ${place} is ${told(row.value)}, not ${told(folded)}`)
  }
  const advanced = (name: string, stream: StreamName, number: number) => {
    const view = views.get(name)
    const of = book(stream)
    if (view === undefined) return
    const before = view.progress.get(stream) ?? 0
    if (number > (of?.commits.length ?? 0))
      return broken('S6', `a view is never ahead of the log, and ${name} claims to have ${stream}@${number}`)
    const missing =
      of &&
      changesOf(view, of, before, number).find(
        ({ row, number: changed }) => (view.rows.get(row)?.sources[stream] ?? 0) < changed,
      )
    if (missing !== undefined)
      broken(
        'S7',
        `a view takes in a stream without a gap, and ${name} claims to have ${stream}@${number} without number ${missing.number}`,
      )
    view.progress.set(stream, Math.max(before, number))
  }
  const complete = () => {
    for (const [name, view] of views) {
      for (const of of books()) {
        if (sourceOf(view.projection, of.stream) === undefined) continue
        const progress = view.progress.get(of.stream) ?? 0
        if (progress < of.commits.length)
          return broken(
            'E2',
            `every view catches up, and ${name} has ${of.stream} up to ${progress} of ${of.commits.length}`,
          )
      }
      const missing = incomplete(view, books)
      if (missing !== undefined)
        return broken('E7', `a view equals what is built anew, and ${name} has ${missing}`)
    }
  }
  return {
    stored,
    advanced,
    progressOf: (name, stream) => views.get(name)?.progress.get(stream) ?? 0,
    complete,
  }
}

const entriesOf = (sources: Sources): ReadonlyArray<readonly [StreamName, number]> =>
  Object.entries(sources) as unknown as ReadonlyArray<readonly [StreamName, number]>

const told = (value: Json | undefined): string => (value === undefined ? 'deleted' : canonical(value))

/** Of each commit of a stream, the changes of rows; computed once. */
const changesIn = (view: View, of: Book): ReadonlyArray<ReadonlyArray<Change>> => {
  let known = view.changes.get(of.stream)
  if (known === undefined) view.changes.set(of.stream, (known = []))
  const source = sourceOf(view.projection, of.stream)
  for (let at = known.length; at < of.events.length; at += 1) {
    const events = source === undefined ? [] : (of.events[at] ?? [])
    known.push(
      events.flatMap((recorded) =>
        (source?.rows(recorded) ?? []).map(({ pk, sk, change }) => ({
          pk,
          sk,
          change,
          row: rowOf({ pk, sk }),
        })),
      ),
    )
  }
  return known
}

/** The rows that the commits after one number up to another change, with the number of the last that does. */
const changesOf = (
  view: View,
  of: Book,
  after: number,
  upTo: number,
): ReadonlyArray<{ readonly row: string; readonly number: number }> => {
  const changes = changesIn(view, of)
  const rows: Array<{ row: string; number: number }> = []
  for (let number = after + 1; number <= upTo; number += 1)
    for (const { row } of changes[number - 1] ?? []) rows.push({ row, number })
  return rows
}

/** What the log makes of a row, up to these numbers. */
const foldOf = (view: View, book: LogBook['book'], row: string, sources: Sources): Json | undefined => {
  let value: Json | undefined
  for (const [stream, upTo] of entriesOf(sources)) {
    const of = book(stream)
    if (of === undefined) continue
    for (const changes of changesIn(view, of).slice(0, upTo))
      for (const change of changes) if (change.row === row) value = change.change(value)
  }
  return value
}

/** What of a view, built anew from the log alone, is not in the view; undefined where all is. */
const incomplete = (view: View, books: LogBook['books']): string | undefined => {
  const anew = new Map<string, Json | undefined>()
  for (const of of books())
    for (const changes of changesIn(view, of))
      for (const { row, change } of changes) anew.set(row, change(anew.get(row)))
  for (const [row, value] of anew) {
    const there = view.rows.get(row)
    if (!isSame(there?.value, value))
      return `${told(there?.value)} where ${told(value)} should be, in the row ${row.replace('\u0000', ' ')}`
  }
  for (const row of view.rows.keys()) if (!anew.has(row)) return `a row that nothing asks for: ${row}`
  return undefined
}
