/**
 * One record of the table's stream: the item that was put, or that there is none to take in, or why it cannot be read.
 *
 * Passed over knowingly: markers, which are no commits, and removals, which only the table's own expiry of markers
 * makes. Everything else that does not hold a commit is a fault with its path, never skipped.
 */
import {
  type Commit,
  E,
  type Fault,
  type InputFault,
  type InvalidInput,
  type StreamName,
} from '@everfold/core'
import type { ClaimCheck } from '../store/claim-check.ts'
import { commitOf } from '../store/commit-item.ts'
import { redeemed } from '../store/large-item.ts'
import { isMarker } from '../store/marker.ts'
import { isObject, type PlainItem, plainItem } from './stream-image.ts'

export interface StreamRecord {
  /** Its place in the shard: a number of up to 40 digits, as text. */
  readonly sequenceNumber: string
  /** Undefined where the record is passed over. */
  readonly item: E.Either<Fault, PlainItem | undefined>
  /** Where in the input the item is. */
  readonly pointer: string
}

/** A record without a sequence number is invalid input: nothing could name it to whoever delivers it. */
export const streamRecord = (record: unknown, pointer: string): E.Either<InvalidInput, StreamRecord> => {
  if (!isObject(record)) return invalid(pointer, 'is not an object')
  const { dynamodb } = record
  if (!isObject(dynamodb)) return invalid(`${pointer}/dynamodb`, 'is not an object')
  const { SequenceNumber: sequenceNumber } = dynamodb
  if (typeof sequenceNumber !== 'string' || !SEQUENCE_NUMBER.test(sequenceNumber))
    return invalid(`${pointer}/dynamodb/SequenceNumber`, 'is not a number of up to 40 digits as text')
  const found = itemOfRecord(record, dynamodb, pointer)
  const item = E.isLeft(found) ? E.left(undecodable(dynamodb, found.left)) : found
  return E.right({ sequenceNumber, item, pointer: `${pointer}/dynamodb/NewImage` })
}

const SEQUENCE_NUMBER = /^\d{1,40}$/

const invalid = (pointer: string, detail: string): E.Either<InvalidInput, never> =>
  E.left({ _tag: 'InvalidInput', errors: [{ pointer, detail }] })

type Faults = ReadonlyArray<InputFault>

const itemOfRecord = (
  { eventID, eventName, eventSource }: Readonly<Record<string, unknown>>,
  dynamodb: Readonly<Record<string, unknown>>,
  pointer: string,
): E.Either<Faults, PlainItem | undefined> => {
  const refused = (path: string, detail: string): E.Either<Faults, never> =>
    E.left([{ pointer: `${pointer}${path}`, detail }])
  if (typeof eventID !== 'string' || eventID === '') return refused('/eventID', 'is not a text')
  if (eventSource !== 'aws:dynamodb') return refused('/eventSource', 'is not aws:dynamodb')
  if (eventName === 'REMOVE') return E.right(undefined)
  if (eventName !== 'INSERT' && eventName !== 'MODIFY')
    return refused('/eventName', 'is none of INSERT, MODIFY, REMOVE')
  const keys = plainItem(dynamodb['Keys'], `${pointer}/dynamodb/Keys`)
  if (E.isLeft(keys)) return keys
  if (dynamodb['NewImage'] === undefined)
    return refused('/dynamodb/NewImage', `is required, and the table's stream has ${viewOf(dynamodb)}`)
  const item = plainItem(dynamodb['NewImage'], `${pointer}/dynamodb/NewImage`)
  if (E.isLeft(item)) return item
  for (const key of ['pk', 'sk'])
    if (keys.right[key] === undefined || keys.right[key] !== item.right[key])
      return refused(`/dynamodb/NewImage/${key}`, 'is not the key of the record')
  return isMarker(item.right) ? E.right(undefined) : item
}

const viewOf = ({ StreamViewType: view }: Readonly<Record<string, unknown>>): string =>
  view === 'NEW_IMAGE' || view === 'NEW_AND_OLD_IMAGES'
    ? `${view}: the record is broken`
    : `${String(view)}: it has to be NEW_IMAGE or NEW_AND_OLD_IMAGES`

/** Names what it can: the keys may be what is broken. */
const undecodable = ({ Keys: keys }: Readonly<Record<string, unknown>>, errors: Faults): Fault => {
  const named = plainItem(keys, '')
  const { pk, sk } = E.isLeft(named) ? {} : named.right
  return { _tag: 'Undecodable', stream: nameOf(pk), commit: typeof sk === 'number' ? sk : 0, errors }
}

const nameOf = (pk: unknown): StreamName => (typeof pk === 'string' ? pk : 'unknown') as StreamName

/** The commit of a record's item, what lies behind claim checks included; undefined where it is passed over. */
export const recordedCommit = async (
  { item, pointer }: StreamRecord,
  claimCheck: ClaimCheck | undefined,
): Promise<E.Either<Fault, Commit | undefined>> => {
  if (E.isLeft(item)) return item
  if (item.right === undefined) return E.right(undefined)
  const whole = await redeemed(item.right, claimCheck)
  if (E.isLeft(whole)) return E.left(below(whole.left, pointer))
  const commit = commitOf(whole.right)
  if (E.isRight(commit)) return commit
  const { pk, sk } = item.right
  const fault: Fault = { _tag: 'Undecodable', stream: nameOf(pk), commit: Number(sk), errors: commit.left }
  return E.left(below(fault, pointer))
}

/** The paths of an item's faults, as paths of the input that it came in. */
const below = (fault: Fault, pointer: string): Fault =>
  fault._tag === 'Undecodable'
    ? { ...fault, errors: fault.errors.map((error) => ({ ...error, pointer: pointer + error.pointer })) }
    : fault
