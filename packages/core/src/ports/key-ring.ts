/** The port to the keys that seal personal data: one per subject, kept outside the log and its backups. */
import type { Fault } from '../fault.ts'
import type { TE } from '../fp.ts'

export interface KeyRing {
  /** The subject's key of 64 bytes, made at the first call; undefined for ever after it was destroyed. */
  keyOf(this: void, subject: string): TE.TaskEither<Fault, Uint8Array | undefined>
  /** Destroying the key erases everything that it sealed. */
  destroy(this: void, subject: string): TE.TaskEither<Fault, void>
}
