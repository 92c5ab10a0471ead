/**
 * The port to the rows of views: one table, partition key and sort key, with an inverted index.
 *
 * A row is conditional on a commit number per source stream: an older or equal number changes nothing, so a late
 * duplicate never overwrites newer state. A deleted row leaves a tombstone that keeps its numbers.
 */
import type { Json, Position } from '../commit.ts'
import type { Fault } from '../fault.ts'
import type { TE } from '../fp.ts'
import type { StreamName } from '../stream-name.ts'

export interface RowKey {
  readonly pk: string
  readonly sk: string
}

/** The number of the newest commit of each stream that shaped a row. */
export type Sources = { readonly [stream: StreamName]: number }

export interface Row extends RowKey {
  /** Absent on a tombstone. */
  readonly value?: Json
  readonly sources: Sources
}

/** Rows of one projection's generation never meet those of another. */
export interface Generation {
  readonly projection: string
  readonly generation: string
}

export interface RowQuery {
  /** On the inverted index the roles of pk and sk are exchanged. */
  readonly index?: 'inverted'
  readonly pk: string
  readonly skPrefix?: string
  /** Start after this sort key. */
  readonly after?: string
  readonly limit: number
  readonly descending?: boolean
}

export interface ViewStore {
  get(this: void, generation: Generation, key: RowKey): TE.TaskEither<Fault, Row | undefined>
  /** Rows in the order of their sort keys, tombstones left out; `after` for the next page while there is one. */
  query(
    this: void,
    generation: Generation,
    query: RowQuery,
  ): TE.TaskEither<Fault, { readonly rows: ReadonlyArray<Row>; readonly after?: string }>
  /**
   * Puts the row iff what is stored still has the sources `expected` (absent: no row, no tombstone).
   * Left of the result when another writer was faster.
   */
  put(
    this: void,
    generation: Generation,
    row: Row,
    expected: Sources | undefined,
  ): TE.TaskEither<Fault, 'stored' | 'conflict'>
  /** The newest commit of the stream that the generation has wholly taken in; 0 where none. */
  progress(this: void, generation: Generation, stream: StreamName): TE.TaskEither<Fault, number>
  /**
   * One page of the progress of all streams that the generation has taken in, in no order; a page may be empty. What had
   * advanced before the first page was asked for is in them, each stream once. No `cursor` in the answer ends the list.
   */
  progresses(
    this: void,
    generation: Generation,
    cursor?: string,
  ): TE.TaskEither<Fault, { readonly streams: ReadonlyArray<Position>; readonly cursor?: string }>
  /** Never goes back. */
  advance(this: void, generation: Generation, stream: StreamName, commit: number): TE.TaskEither<Fault, void>
  /** The generation that readers of the projection read. */
  active(this: void, projection: string): TE.TaskEither<Fault, string | undefined>
  activate(this: void, generation: Generation): TE.TaskEither<Fault, void>
  /** Removes every row, tombstone and progress of a generation that nobody reads. */
  drop(this: void, generation: Generation): TE.TaskEither<Fault, void>
}
