/**
 * PutEvents: each entry is accepted or fails for itself, and the results are in the order of the entries.
 *
 * An entry for a bus that does not exist is accepted, and goes nowhere; so it is at AWS.
 * Source: EventBridge API reference, PutEvents; AWS SDK, PutEventsResultEntry; github.com/aws/aws-cli/issues/9186 (2026-11).
 */
import { EVENTBRIDGE } from '../../limits.ts'
import { type Answer, output, type Refused, refused } from '../answer.ts'
import { type Bus, type BusEvent, busNamed, type EventBridgeState, idOf, isAbout, withEvent } from './bus.ts'

/** As on the wire. */
export interface PutEventsEntry {
  readonly EventBusName?: string
  readonly Source?: string
  readonly DetailType?: string
  readonly Detail?: string
  readonly Resources?: ReadonlyArray<string>
  /** In seconds since 1970. */
  readonly Time?: number
}

interface PutEventsResult {
  readonly EventId?: string
  readonly ErrorCode?: string
  readonly ErrorMessage?: string
}

export interface PutEventsOutput {
  readonly FailedEntryCount: number
  readonly Entries: ReadonlyArray<PutEventsResult>
}

/** The entry that is not accepted, by its place, and why. */
export interface EntryFault {
  readonly place: number
  readonly code: 'InternalFailure' | 'ThrottlingException'
}

export interface PutEvents {
  readonly state: EventBridgeState
  readonly answer: Answer<PutEventsOutput>
}

export const putEvents = (
  state: EventBridgeState,
  entries: ReadonlyArray<PutEventsEntry>,
  nowMs: number,
  fault?: EntryFault,
): PutEvents => {
  const refusal = refusalOf(entries)
  if (refusal !== undefined) return { state, answer: refusal }
  let next = state
  const results = entries.map((entry, place): PutEventsResult => {
    const failed = invalidity(entry) ?? (fault?.place === place ? FAULTS[fault.code] : undefined)
    if (failed !== undefined) return failed
    const accepted = accept(next, entry, nowMs)
    next = accepted.state
    return { EventId: accepted.id }
  })
  const failed = results.filter(({ ErrorCode: code }) => code !== undefined).length
  return { state: next, answer: output({ FailedEntryCount: failed, Entries: results }) }
}

const failure = (code: string, message: string): PutEventsResult => ({
  ErrorCode: code,
  ErrorMessage: message,
})

const FAULTS: Readonly<Record<EntryFault['code'], PutEventsResult>> = {
  InternalFailure: failure(
    'InternalFailure',
    'The request processing has failed because of an unknown error, exception or failure.',
  ),
  ThrottlingException: failure('ThrottlingException', 'The request was denied due to request throttling.'),
}

const refusalOf = (entries: ReadonlyArray<PutEventsEntry>): Refused | undefined => {
  if (entries.length === 0 || entries.length > EVENTBRIDGE.entries)
    return refused(
      'ValidationException',
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${EVENTBRIDGE.entries}`,
    )
  return entries.reduce((sum, entry) => sum + bytesOf(entry), 0) >= EVENTBRIDGE.requestBytes
    ? refused('ValidationException', 'Total size of the entries in the request is over the limit.')
    : undefined
}

/** Source: EventBridge User Guide, "Calculating PutEvents event entry size" (2026-11). */
const bytesOf = ({ Time: time, Source, DetailType, Detail, Resources = [] }: PutEventsEntry): number =>
  [Source, DetailType, Detail, ...Resources].reduce(
    (sum, text) => sum + Buffer.byteLength(text ?? ''),
    time === undefined ? 0 : EVENTBRIDGE.timeBytes,
  )

const invalidity = (entry: PutEventsEntry): PutEventsResult | undefined => {
  for (const name of ['Source', 'DetailType', 'Detail'] as const)
    if ((entry[name] ?? '') === '') return invalid(name, `${name} is a required argument.`)
  if (Array.from(entry.DetailType ?? '').length > EVENTBRIDGE.typeCharacters)
    return invalid('DetailType', `DetailType is longer than ${EVENTBRIDGE.typeCharacters} characters.`)
  if (entry.Source?.startsWith('aws.') === true)
    return failure('NotAuthorizedForSourceException', 'Not authorized for the source.')
  const detail = parsed(entry.Detail ?? '')
  return typeof detail === 'object' && detail !== null && !Array.isArray(detail)
    ? undefined
    : failure('MalformedDetail', 'Detail is malformed.')
}

const invalid = (parameter: string, reason: string): PutEventsResult =>
  failure('InvalidArgument', `Parameter ${parameter} is not valid. Reason: ${reason}`)

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const accept = (
  state: EventBridgeState,
  entry: PutEventsEntry,
  nowMs: number,
): { readonly state: EventBridgeState; readonly id: string } => {
  const { EventBusName: name, Source, DetailType, Detail, Resources, Time: seconds } = entry
  const content = idOf(JSON.stringify([name, Source, DetailType, Detail, Resources, seconds]))
  const before = state.put.get(content) ?? 0
  const id = idOf(`${content} ${before}`)
  const counted = { ...state, put: new Map(state.put).set(content, before + 1) }
  const bus = busNamed(state, name)
  if (bus === undefined) return { state: counted, id }
  const event: BusEvent = {
    version: '0',
    id,
    'detail-type': DetailType ?? '',
    source: Source ?? '',
    account: state.account,
    time: new Date(seconds === undefined ? nowMs : seconds * 1000).toISOString().replace(/\.\d+/, ''),
    region: state.region,
    resources: Resources ?? [],
    detail: parsed(Detail ?? ''),
  }
  const when = { acceptedMs: nowMs, dueMs: nowMs }
  return { state: archived(withEvent(counted, bus, event, when), bus, event, nowMs), id }
}

const archived = (
  state: EventBridgeState,
  { name, archives = [] }: Bus,
  event: BusEvent,
  acceptedMs: number,
): EventBridgeState => {
  const kept = archives.filter((archive) => isAbout(archive, event))
  const more = kept.map((archive) => ({ bus: name, archive: archive.name, event, acceptedMs }))
  return more.length === 0 ? state : { ...state, archived: [...state.archived, ...more] }
}
