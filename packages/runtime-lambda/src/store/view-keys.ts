/**
 * Where the items of the views table are.
 *
 *     item      pk                            sk          ipk
 *     row       <projection>#<generation>#pk  sk          <projection>#<generation>#sk
 *     progress  <projection>#<generation>@stream  progress
 *     readers   <projection>                  active
 *
 * Every key begins with its projection and generation, so rows of two generations never meet, neither in the table
 * nor in the index; the separators are escaped within those names. The index exchanges the roles of a row's keys:
 * its partition is `ipk`, its order is that of `pk`. Tombstones, progresses and readers have no `ipk`: they are not
 * in the index. A progress has a partition of its own, so that no partition is hotter than its stream.
 */
import { type Fault, type Generation, impossible, type RowKey, type StreamName } from '@everfold/core'
import { DYNAMODB } from '../limits.ts'

export const rowsPrefix = ({ projection, generation }: Generation): string =>
  `${escaped(projection)}#${escaped(generation)}#`

export const progressPrefix = ({ projection, generation }: Generation): string =>
  `${escaped(projection)}#${escaped(generation)}@`

const escaped = (name: string): string =>
  name.replace(/[%#@]/g, (separator) => `%${separator.charCodeAt(0).toString(16)}`)

export const itemKey = (generation: Generation, { pk, sk }: RowKey): RowKey => ({
  pk: `${rowsPrefix(generation)}${pk}`,
  sk,
})

export const progressKey = (generation: Generation, stream: StreamName): RowKey => ({
  pk: `${progressPrefix(generation)}${stream}`,
  sk: 'progress',
})

export const readersKey = (projection: string): RowKey => ({ pk: escaped(projection), sk: 'active' })

/** Why there can be no such row; undefined where there can. */
export const rowKeyFault = (generation: Generation, key: RowKey): Fault | undefined =>
  key.sk === ''
    ? impossible(`an empty sort key beside ${key.pk}, which DynamoDB does not take`)
    : keyFault(generation, key)

/**
 * The same for what may be a part of a key. A row's partition key is the sort key of the index, so it may not be
 * longer than one.
 */
export const keyFault = (generation: Generation, key: RowKey): Fault | undefined => {
  const { pk, sk } = itemKey(generation, key)
  return (
    textFault('partition key', pk, DYNAMODB.sortKeyBytes) ?? textFault('sort key', sk, DYNAMODB.sortKeyBytes)
  )
}

export const progressFault = (generation: Generation, stream: StreamName): Fault | undefined =>
  textFault('partition key', progressKey(generation, stream).pk, DYNAMODB.partitionKeyBytes)

/** Half of a surrogate pair has no UTF-8: any two such keys would be stored as one. */
const textFault = (name: string, key: string, limitBytes: number): Fault | undefined => {
  if (!key.isWellFormed()) return impossible(`the ${name} ${JSON.stringify(key)}, which is no Unicode text`)
  const bytes = Buffer.byteLength(key)
  return bytes <= limitBytes
    ? undefined
    : impossible(`the ${name} ${key}: it has ${bytes} bytes, and DynamoDB takes ${limitBytes}`)
}
