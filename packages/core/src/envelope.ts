/** A command on its way: what every retry, queue and group carries along unchanged. */
import type { CommandId } from './command-id.ts'
import type { Metadata } from './commit.ts'
import { type Fingerprint, fingerprint } from './fingerprint.ts'

export interface Envelope<Command> {
  readonly id: CommandId
  /** Whether a caller or a process gave the id: then every answer is put on record, also a refusal. */
  readonly identified: boolean
  /** The stamp of an id without a date of its own, in milliseconds since 1970. */
  readonly dateMs?: number
  readonly command: Command
  /** Covers what the caller sent, and nothing that was added on the way. */
  readonly fingerprint: Fingerprint
  /** When the command arrived, in milliseconds since 1970. */
  readonly timeMs: number
  readonly metadata: Metadata
}

export interface Arrival {
  readonly id: CommandId
  readonly timeMs: number
  /** True unless told: the id came with the command. */
  readonly identified?: boolean
  readonly dateMs?: number
  /** What the caller sent, where the command holds more than that. */
  readonly sent?: unknown
  readonly metadata?: Partial<Metadata>
}

export const envelope = <Command>(command: Command, arrival: Arrival): Envelope<Command> => ({
  id: arrival.id,
  identified: arrival.identified ?? true,
  ...(arrival.dateMs === undefined ? {} : { dateMs: arrival.dateMs }),
  command,
  fingerprint: fingerprint(arrival.sent ?? command),
  timeMs: arrival.timeMs,
  metadata: { correlationId: arrival.id, ...arrival.metadata },
})
