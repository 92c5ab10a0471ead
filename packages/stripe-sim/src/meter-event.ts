/**
 * Meter events: usage reported for billing, counted once for each identifier.
 *
 * Only received and kept: there are no meters, customers or invoices here. An identifier is unique for 24 hours of
 * the account's time, and an event may be at most 35 days old and five minutes early.
 *
 * Source: https://docs.stripe.com/api/billing/meter-event/create
 */
import { type MeterEvent, seconds, type Turn } from './account.ts'
import { ok, type Result, refused } from './api-error.ts'
import { fields, filled, integer, list, metadata, string, type ValueOf } from './parameter.ts'

const UNIQUE_SECONDS = 24 * 60 * 60
const OLDEST_SECONDS = 35 * 24 * 60 * 60
const EARLIEST_SECONDS = 5 * 60

export const meterEventParameters = fields(
  {
    event_name: filled(100),
    expand: list(string()),
    identifier: filled(100),
    payload: metadata,
    timestamp: integer,
  },
  'event_name',
  'payload',
)

export const createMeterEvent = (
  turn: Turn,
  params: ValueOf<typeof meterEventParameters>,
): Result<MeterEvent> => {
  const { account } = turn
  const created = seconds(turn)
  const timestamp = params.timestamp ?? created
  if (timestamp < created - OLDEST_SECONDS || timestamp > created + EARLIEST_SECONDS)
    return refused(
      'The timestamp must be within the past 35 calendar days and no more than 5 minutes in the future.',
      'timestamp_invalid',
      { param: 'timestamp' },
    )
  const identifier = params.identifier ?? account.random.id('mtr_evt')
  const known = account.meterEvents.get(identifier)
  if (known !== undefined && created - known.created < UNIQUE_SECONDS)
    return refused(`An event already exists with identifier ${identifier}.`, 'duplicate_meter_event', {
      param: 'identifier',
    })
  const event: MeterEvent = {
    object: 'billing.meter_event',
    created,
    event_name: params.event_name,
    identifier,
    livemode: false,
    payload: Object.fromEntries(params.payload === '' ? [] : params.payload),
    timestamp,
  }
  account.meterEvents.set(identifier, event)
  return ok(event)
}
