/**
 * A commit as one DynamoDB item, and back.
 *
 *     pk  S    the stream                    sk  N    the commit's number
 *     v   N    the version                   t   N    its time, where that is not its answers' latest
 *     l   N    the latest date of any id up to here, where that is not its own answers' latest
 *     a   S|B  the answers as JSON           ax  S    their claim check instead
 *     s   S|B  the snapshot as JSON          sx  S    its claim check instead
 *     m   B    the ids that the snapshot remembers, packed
 *
 * A text is deflated where that saves a kilobyte. JSON text keeps every number exactly, which DynamoDB's own numbers do
 * not. Whatever follows from the rest is left out, because a short commit's kilobyte has to hold a snapshot too, and the
 * twelve newest commits have to fit into one read unit. Law: an item reads back as the very commit it was made of.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import {
  CommandId,
  type Commit,
  dateOf,
  decode,
  E,
  type InputFault,
  integer,
  list,
  type Memory,
  record,
  type StoredAnswer,
  StoredEvent,
  type StoredSnapshot,
  StreamName,
  type TypeOf,
  text,
} from '@everfold/core'
import * as t from 'io-ts'
import { DYNAMODB } from '../limits.ts'
import { packIds, unpackIds } from './packed-ids.ts'

export interface CommitItem {
  readonly pk: StreamName
  readonly sk: number
  readonly v: number
  readonly t?: number
  readonly l?: number
  readonly a?: string | Uint8Array
  readonly ax?: string
  readonly s?: string | Uint8Array
  readonly sx?: string
  readonly m?: Uint8Array
}

export type Invalid = ReadonlyArray<InputFault>

// The answers

const Label = text('Label', { maxLength: 1100 })

const Metadata = record(
  'StoredMetadata',
  {},
  { co: Label, ca: Label, te: Label, ac: Label, tr: Label, pr: StreamName },
)

const TimeMs = integer('TimeMs', 0)

/** How many there are is limited by their bytes. */
const ANY = Number.MAX_SAFE_INTEGER

const Answer = record(
  'StoredAnswer',
  { id: CommandId, f: text('Fingerprint'), t: TimeMs },
  { d: TimeMs, k: t.literal(true), m: Metadata, e: list(StoredEvent, 0, ANY), r: t.unknown },
)
type Answer = TypeOf<typeof Answer>

const Answers = list(Answer, 1, ANY)

const answerText = (answer: StoredAnswer): object => {
  const { id, fingerprint, timeMs, dateMs, marked, metadata, events, rejection } = answer
  const { correlationId, causationId, tenant, actor, trace, process } = metadata
  const about = {
    co: correlationId === id ? undefined : correlationId,
    ca: causationId,
    te: tenant,
    ac: actor,
    tr: trace,
    pr: process,
  }
  return {
    id,
    f: fingerprint,
    t: timeMs,
    d: dateMs,
    k: marked,
    m: Object.values(about).some((value) => value !== undefined) ? about : undefined,
    e: events.length === 0 ? undefined : events,
    r: rejection,
  }
}

const answerOf = ({ id, f, t: timeMs, d, k, m = {}, e = [], r }: Answer): StoredAnswer => ({
  id,
  fingerprint: f,
  timeMs,
  ...(d === undefined ? {} : { dateMs: d }),
  ...(k === undefined ? {} : { marked: k }),
  metadata: {
    correlationId: m.co ?? id,
    ...(m.ca === undefined ? {} : { causationId: m.ca }),
    ...(m.te === undefined ? {} : { tenant: m.te }),
    ...(m.ac === undefined ? {} : { actor: m.ac }),
    ...(m.tr === undefined ? {} : { trace: m.tr }),
    ...(m.pr === undefined ? {} : { process: m.pr }),
  },
  events: e,
  ...(r === undefined ? {} : { rejection: r }),
})

// The snapshot

const Snapshot = record(
  'StoredSnapshot',
  { f: text('Fingerprint'), s: t.unknown, b: integer('SizeBytes', 0) },
  { h: TimeMs, k: t.literal(true) },
)

const snapshotText = ({ fingerprint, state, memory, sizeBytes }: StoredSnapshot): object => ({
  f: fingerprint,
  s: state,
  b: sizeBytes,
  h: memory.horizonMs,
  k: memory.marking,
})

const snapshotOf = ({ f, s, b, h, k }: TypeOf<typeof Snapshot>, ids: Memory['ids']): StoredSnapshot => ({
  fingerprint: f,
  state: s,
  memory: { ids, ...(h === undefined ? {} : { horizonMs: h }), ...(k === undefined ? {} : { marking: k }) },
  sizeBytes: b,
})

// The item

/** What is recomputed on reading wherever it follows from the answers. */
const latest = (answers: ReadonlyArray<StoredAnswer>): { readonly timeMs: number; readonly idMs: number } => {
  let timeMs = 0
  let idMs = 0
  for (const answer of answers) {
    timeMs = Math.max(timeMs, answer.timeMs)
    idMs = Math.max(idMs, dateOf(answer.id) ?? 0)
  }
  return { timeMs, idMs }
}

export const itemOf = (commit: Commit): CommitItem => {
  const { stream, number, version, timeMs, latestIdMs, answers, snapshot } = commit
  const own = latest(answers)
  return {
    pk: stream,
    sk: number,
    v: version,
    ...(own.timeMs === timeMs ? {} : { t: timeMs }),
    ...(own.idMs === latestIdMs ? {} : { l: latestIdMs }),
    a: packedText(JSON.stringify(answers.map(answerText))),
    ...(snapshot === undefined
      ? {}
      : {
          s: packedText(JSON.stringify(snapshotText(snapshot))),
          m: packIds(snapshot.memory.ids, number),
        }),
  }
}

const packedText = (json: string): string | Uint8Array => {
  const bytes = Buffer.byteLength(json)
  if (bytes <= DYNAMODB.writeUnitBytes) return json
  const deflated = deflateRawSync(json)
  return bytes - deflated.length < DYNAMODB.writeUnitBytes ? json : deflated
}

const Numbers = record(
  'CommitItem',
  { pk: StreamName, sk: integer('Number', 1), v: integer('Version', 0) },
  { t: TimeMs, l: TimeMs },
)

/** The commit of an item whose claim checks have been redeemed, or every fault with its path. */
export const commitOf = (item: Readonly<Record<string, unknown>>): E.Either<Invalid, Commit> => {
  const { a, s, m, ...numbers } = item
  const decoded = decode(Numbers, numbers)
  if (E.isLeft(decoded)) return E.left(decoded.left.errors)
  const answers = parsed(Answers, 'a', a)
  if (E.isLeft(answers)) return answers
  const snapshot = storedSnapshot(s, m, decoded.right.sk)
  if (E.isLeft(snapshot)) return snapshot
  const { pk, sk, v, t: timeMs, l } = decoded.right
  const stored = answers.right.map(answerOf)
  const own = latest(stored)
  return E.right({
    stream: pk,
    number: sk,
    version: v,
    timeMs: timeMs ?? own.timeMs,
    latestIdMs: l ?? own.idMs,
    answers: stored,
    ...(snapshot.right === undefined ? {} : { snapshot: snapshot.right }),
  })
}

const storedSnapshot = (
  s: unknown,
  m: unknown,
  number: number,
): E.Either<Invalid, StoredSnapshot | undefined> => {
  if (s === undefined && m === undefined) return E.right(undefined)
  const ids = m instanceof Uint8Array ? unpackIds(m, number) : undefined
  if (ids === undefined) return E.left([{ pointer: '/m', detail: 'is not packed ids' }])
  const snapshot = parsed(Snapshot, 's', s)
  return E.isLeft(snapshot) ? snapshot : E.right(snapshotOf(snapshot.right, ids))
}

const parsed = <A>(
  codec: Parameters<typeof decode<A>>[0],
  attribute: string,
  stored: unknown,
): E.Either<Invalid, A> => {
  let json: unknown
  try {
    json = JSON.parse(stored instanceof Uint8Array ? inflateRawSync(stored).toString() : String(stored))
  } catch {
    return E.left([{ pointer: `/${attribute}`, detail: 'is neither JSON nor deflated JSON' }])
  }
  const decoded = decode(codec, json)
  return E.isLeft(decoded)
    ? E.left(
        decoded.left.errors.map(({ pointer, detail }) => ({ pointer: `/${attribute}${pointer}`, detail })),
      )
    : decoded
}

/**
 * What DynamoDB counts: names and values. Source: DynamoDB Developer Guide, "Item sizes and formats" (2026-11); a
 * number takes a byte for two digits and one more, at most one more than here.
 */
export const itemBytes = (item: object): number => {
  let bytes = 0
  for (const [name, value] of Object.entries(item) as ReadonlyArray<[string, unknown]>) {
    bytes += name.length
    if (typeof value === 'string') bytes += Buffer.byteLength(value)
    else if (value instanceof Uint8Array) bytes += value.length
    else bytes += Math.ceil(String(value).length / 2) + 2
  }
  return bytes
}
