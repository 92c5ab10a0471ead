/** What can fail below the domain: infrastructure, never a rejection and never invalid input. */

import type { InputFault } from './codec.ts'
import type { CommandId } from './command-id.ts'
import type { StreamName } from './stream-name.ts'

export type Fault =
  /** A port could not do it now; the same call may go through later. */
  | { readonly _tag: 'Unavailable'; readonly what: string; readonly cause?: unknown }
  /** Nobody knows yet whether these commands were recorded; asking again with the same ids tells. */
  | {
      readonly _tag: 'Unsettled'
      readonly stream: StreamName
      readonly commandIds: ReadonlyArray<CommandId>
      /** What the last append met whose outcome is unknown. */
      readonly cause?: unknown
    }
  /** Other writers won every attempt within the budget. */
  | { readonly _tag: 'Contended'; readonly stream: StreamName; readonly attempts: number }
  /** What is stored does not decode: the stream stops here until a reader that knows it is deployed. */
  | {
      readonly _tag: 'Undecodable'
      readonly stream: StreamName
      readonly commit: number
      readonly errors: ReadonlyArray<InputFault>
    }
  /** A number of the stream is missing: its history cannot be trusted. */
  | { readonly _tag: 'MissingCommit'; readonly stream: StreamName; readonly number: number }
  /** One commit is larger than the store takes. */
  | {
      readonly _tag: 'TooLarge'
      readonly stream: StreamName
      readonly sizeBytes: number
      readonly limitBytes: number
    }

  /** No port, or none of this kind, ever does it: a key that it does not take, or a bug that throws. */
  | { readonly _tag: 'Impossible'; readonly what: string; readonly cause?: unknown }

export const unavailable = (what: string, cause?: unknown): Fault => ({ _tag: 'Unavailable', what, cause })

export const impossible = (what: string, cause?: unknown): Fault => ({ _tag: 'Impossible', what, cause })

/** Whether it will not go through however often it is tried: it waits for a person, or for other code. */
export const isPermanent = ({ _tag }: Fault): boolean => PERMANENT.has(_tag)

const PERMANENT: ReadonlySet<Fault['_tag']> = new Set([
  'Undecodable',
  'MissingCommit',
  'TooLarge',
  'Impossible',
])

/** Why one command of a group cannot be answered; nothing was recorded for it. */
export type Refusal =
  /** The id already names another payload. */
  | { readonly _tag: 'IdReused'; readonly commandId: CommandId }
  /** The id's date lies ahead of our clock by more than is allowed: retry later. */
  | {
      readonly _tag: 'IdFromTheFuture'
      readonly commandId: CommandId
      readonly dateMs: number
      readonly nowMs: number
    }
  /** The id is older than we look back for repeats. */
  | {
      readonly _tag: 'IdTooOld'
      readonly commandId: CommandId
      readonly dateMs: number
      readonly nowMs: number
    }
  /** It came with more others than the store takes in one transaction. */
  | {
      readonly _tag: 'TooMany'
      readonly commandId: CommandId
      readonly actions: number
      readonly limitActions: number
    }
  /** Its commit alone is larger than the store takes. */
  | {
      readonly _tag: 'TooLarge'
      readonly commandId: CommandId
      readonly sizeBytes: number
      readonly limitBytes: number
    }
