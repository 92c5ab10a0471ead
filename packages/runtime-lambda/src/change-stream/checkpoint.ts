/** A checkpoint of a DynamoDB stream as text: the stream it is of, when it was made, and how far each shard was read. */
import { type Codec, decode, E, type InvalidInput, integer, record, text } from '@everfold/core'
import * as t from 'io-ts'
import type { Positions } from './shard-lineage.ts'

export interface Checkpoint {
  /** The stream's ARN: another stream's numbers mean nothing here. */
  readonly stream: string
  /** When it was made, in milliseconds since 1970. */
  readonly atMs: number
  readonly positions: Positions
}

const Stored = record('Checkpoint', {
  stream: text('StreamArn', { maxLength: 2048 }),
  atMs: integer('TimeMs', 0),
  shards: t.record(t.string, t.union([t.string, t.null])) as Codec<Readonly<Record<string, string | null>>>,
})

export const checkpointText = ({ stream, atMs, positions }: Checkpoint): string =>
  JSON.stringify({ stream, atMs, shards: Object.fromEntries(positions) })

export const checkpointOf = (checkpoint: string): E.Either<InvalidInput, Checkpoint> => {
  let json: unknown
  try {
    json = JSON.parse(checkpoint)
  } catch {
    return E.left({ _tag: 'InvalidInput', errors: [{ pointer: '', detail: 'is not JSON' }] })
  }
  const decoded = decode(Stored, json)
  if (E.isLeft(decoded)) return decoded
  const { stream, atMs, shards } = decoded.right
  return E.right({ stream, atMs, positions: new Map(Object.entries(shards)) })
}
