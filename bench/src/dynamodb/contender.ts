/**
 * What every contender of `dynamodb/command` is: a store on DynamoDB that holds orders, and takes one command at a time
 * with nothing kept in a cache.
 */

import type { Bill } from '@everfold/aws-local'
import {
  type AddItem,
  commandIdOf,
  commandOf,
  historyOf,
  type Order,
  type OrderEvent,
} from '../order-domain.ts'
import type { Dynamo } from './dynamo.ts'

export interface StoreContender {
  readonly name: string
  /**
   * How many events lie between two measured commands on a long stream, so that two dozen of them stand at every place
   * between two of its snapshots, or of whatever else it writes from time to time; the mean has its share of that.
   */
  readonly stride: number
  /** What a command takes in the mean on a stream of any length: just so many requests, and at most so many units. */
  readonly promise?: Pick<Bill, 'requests' | 'readUnits' | 'writeUnits'>
  readonly open: (dynamo: Dynamo) => Promise<OrderStore>
}

export interface OrderStore {
  /** Gives a stream that does not exist its past (`pastOf`). Not measured. */
  readonly seed: (stream: number, streamLength: number) => Promise<void>
  /** Sends the command that `nextOf` says, from the caller's side to the acknowledged append. Measured. */
  readonly command: (stream: number, streamLength: number) => Promise<unknown>
  /** What the store holds now, folded by the contender itself. Not measured. */
  readonly inspect: (stream: number) => Promise<{ readonly version: number; readonly order: Order }>
}

/** An order's name as long as a real one, because here every byte of a key counts. */
export const orderNameOf = (stream: number): string => commandIdOf(stream, 0)

export const pastOf = (stream: number, streamLength: number): ReadonlyArray<OrderEvent> =>
  historyOf(stream, streamLength)

export const nextOf = (stream: number, streamLength: number): AddItem => ({
  ...commandOf(stream, streamLength),
  orderId: orderNameOf(stream),
})
