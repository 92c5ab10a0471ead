/**
 * A commit is what one append wrote, atomically: the answers to one or more commands. It is the unit of storage
 * and of delivery, and it is plain JSON. Commits of a stream are numbered 1, 2, 3, ...; the number names the place
 * a writer competes for, so two writers from one head always collide, whatever they write.
 */

import * as t from 'io-ts'
import { type Codec, record, text } from './codec.ts'
import type { CommandId } from './command-id.ts'
import type { Fingerprint } from './fingerprint.ts'
import { StreamName } from './stream-name.ts'

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

const Label = text('Label', { maxLength: 1100 })

/** Who and what led to a command; it travels with every event that the command caused. */
export const Metadata = record(
  'Metadata',
  {
    /** Names the whole conversation; the first command's id unless the caller names another. */
    correlationId: Label,
  },
  {
    /** The event that asked for this command, where one did. */
    causationId: Label,
    tenant: Label,
    actor: Label,
    /** W3C `traceparent`. */
    trace: Label,
    /** The stream of the process that asked, so that it hears a refusal. */
    process: StreamName,
  },
)
export interface Metadata {
  readonly correlationId: string
  readonly causationId?: string
  readonly tenant?: string
  readonly actor?: string
  readonly trace?: string
  readonly process?: StreamName
}

/** An event as stored: the wire form of its schema version, which is 1 where `_v` is absent. */
export interface StoredEvent {
  readonly _tag: string
  readonly _v?: number
  readonly [field: string]: unknown
}

const isStoredEvent = (input: unknown): input is StoredEvent => {
  if (typeof input !== 'object' || input === null) return false
  const { _tag, _v = 1 } = input as { readonly _tag?: unknown; readonly _v?: unknown }
  return typeof _tag === 'string' && Number.isSafeInteger(_v) && (_v as number) >= 1
}

/** What else is in an event is its aggregate's to judge. */
export const StoredEvent: Codec<StoredEvent> = new t.Type<StoredEvent>(
  'StoredEvent',
  isStoredEvent,
  (input, context) =>
    isStoredEvent(input) ? t.success(input) : t.failure(input, context, 'is not an event'),
  t.identity,
)

/** The answer to one command: its events (none when nothing changed) or its rejection. */
export interface StoredAnswer {
  readonly id: CommandId
  readonly fingerprint: Fingerprint
  /** When the command arrived, in milliseconds since 1970: the time of its events. */
  readonly timeMs: number
  /** The stamp of an id that carries no date. */
  readonly dateMs?: number
  /** Whether a marker outlives this commit's place in the remembered ids. */
  readonly marked?: true
  readonly metadata: Metadata
  readonly events: ReadonlyArray<StoredEvent>
  readonly rejection?: unknown
}

/** One remembered id: the id, the commit that answers it, which holds its fingerprint, and the stamp of an undated id. */
export type Remembered = readonly [id: CommandId, commit: number, stampMs?: number]

export interface Memory {
  readonly ids: ReadonlyArray<Remembered>
  /** The latest date ever dropped; absent while nothing was. */
  readonly horizonMs?: number
  /** From the first drop on, an id without a date gets a marker. */
  readonly marking?: true
}

/** The state after its commit, for readers of the same codec and reducer only. */
export interface StoredSnapshot {
  readonly fingerprint: Fingerprint
  readonly state: unknown
  readonly memory: Memory
  readonly sizeBytes: number
}

export interface Commit {
  readonly stream: StreamName
  /** 1, 2, 3, ... */
  readonly number: number
  /** The number of events in the stream after this commit. */
  readonly version: number
  /** The latest of the predecessor's and the commands' times. */
  readonly timeMs: number
  /** The latest date of any command id in this commit or before; 0 where none had one. */
  readonly latestIdMs: number
  readonly answers: ReadonlyArray<StoredAnswer>
  readonly snapshot?: StoredSnapshot
}

/** Where a write ended: read your own writes by passing it back. */
export interface Position {
  readonly stream: StreamName
  readonly commit: number
}

/** Names one event forever: its stream, commit and place in the commit. */
export type EventId = string
export const eventId = (stream: StreamName, commit: number, index: number): EventId =>
  `${stream}@${commit}.${index}`

/** An event with everything that is known about it. */
export interface RecordedEvent<Event> {
  readonly id: EventId
  readonly stream: StreamName
  readonly commit: number
  /** Its place among all events of the stream, from 1. */
  readonly version: number
  readonly timeMs: number
  readonly commandId: CommandId
  readonly schema: number
  readonly metadata: Metadata
  readonly event: Event
}

const sizes = new WeakMap<Commit, number>()

/** UTF-8 bytes of the commit as JSON; computed once per commit. */
export const sizeBytes = (commit: Commit): number => {
  const known = sizes.get(commit)
  if (known !== undefined) return known
  const size = bytesOf(commit)
  sizes.set(commit, size)
  return size
}

/** UTF-8 bytes of a value as JSON. */
export const bytesOf = (value: unknown): number => {
  const json = JSON.stringify(value) ?? ''
  let bytes = json.length
  for (let at = 0; at < json.length; at += 1) {
    const unit = json.charCodeAt(at)
    // A surrogate pair is 2 units and 4 bytes, so each half adds one; other units above 0x7ff add two.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1
  }
  return bytes
}
