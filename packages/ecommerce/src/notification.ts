/**
 * One mail to a shopper: asked for once, sent once, and whatever came of it.
 *
 * Stream `notification/{orderId}@{template}@{cause}`: its name is what the mail is for, so asking again asks for the
 * same mail. The cause names the fact that the mail tells of, such as an event's id.
 *
 * Invariant: N1 one EmailSent per (order, template, cause); after an unknown outcome at most two, and recorded.
 *
 * A mail gateway knows no idempotency key. What it could not tell the outcome of is tried once more, and the record
 * says so; a mail too many is a smaller harm than an order nobody hears of, a third would be spam.
 */
import {
  accept,
  aggregate as aggregateOf,
  type Decider,
  type Decision,
  list,
  oneOf,
  plainSnapshot,
  record,
  reject,
  Sealed,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'
import { OrderId, Reason } from './quantities.ts'

/** Names the text to be filled in. */
export const Template = text('Template', { maxLength: 64, pattern: /^[a-z][a-z0-9-]*$/ })
export type Template = TypeOf<typeof Template>

/** Names the fact that a mail tells of. */
export const Cause = text('Cause', { maxLength: 400, pattern: /^[\x21-\x7e]+$/ })
export type Cause = TypeOf<typeof Cause>

/** What a template is filled in with. Nothing personal stands here: that is sealed. */
export const MailFields = list(
  record('MailField', {
    name: text('MailFieldName', { maxLength: 64 }),
    value: text('MailFieldValue', { minLength: 0, maxLength: 2000 }),
  }),
  0,
  200,
)
export type MailFields = TypeOf<typeof MailFields>

export const ProviderMessageId = text('ProviderMessageId')
export type ProviderMessageId = TypeOf<typeof ProviderMessageId>

/** The id of a mail's stream. Neither order nor template holds an `@`, so no two mails share one. */
export const streamId = (mail: {
  readonly orderId: OrderId
  readonly template: Template
  readonly cause: Cause
}): string => `${mail.orderId}@${mail.template}@${mail.cause}`

// Events. Stored forever: never rename, never remove; a new field needs a default.

const mail = { orderId: OrderId, template: Template, cause: Cause }
const sending = { orderId: OrderId, providerMessageId: ProviderMessageId }

export const NotificationEvent = union(
  'NotificationEvent',
  variant('EmailRequested', { ...mail, to: Sealed, data: MailFields }),
  variant('EmailSent', sending),
  /** Perhaps it was sent; it is tried once more. */
  variant('EmailOutcomeUnknown', { orderId: OrderId }),
  variant('EmailBounced', { ...sending, reason: Reason }),
  /** It will not be sent. */
  variant('EmailSuppressed', { orderId: OrderId, reason: Reason }),
)
export type NotificationEvent = TypeOf<typeof NotificationEvent>

// State

const Notification = record(
  'Notification',
  {
    /** Whether the mail was asked for, and whether an outcome of it stayed unknown. */
    request: oneOf('MailRequest', 'none', 'asked', 'doubtful', 'suppressed'),
    /** At most two. */
    sent: list(ProviderMessageId, 0, 2),
    bounced: list(ProviderMessageId, 0, 2),
  },
  { orderId: OrderId },
)
export type Notification = TypeOf<typeof Notification>

export const initial: Notification = { request: 'none', sent: [], bounced: [] }

export const evolve = (notification: Notification, event: NotificationEvent): Notification => {
  switch (event._tag) {
    case 'EmailRequested':
      return { ...notification, request: 'asked', orderId: event.orderId }
    case 'EmailSent':
      return { ...notification, sent: [...notification.sent, event.providerMessageId] }
    case 'EmailOutcomeUnknown':
      return { ...notification, request: 'doubtful' }
    case 'EmailBounced':
      return { ...notification, bounced: [...notification.bounced, event.providerMessageId] }
    case 'EmailSuppressed':
      return { ...notification, request: 'suppressed', orderId: event.orderId }
  }
}

// Commands

export const NotificationCommand = union(
  'NotificationCommand',
  variant('RequestEmail', { ...mail, to: Sealed, data: MailFields }),
  variant('RecordSent', { providerMessageId: ProviderMessageId }),
  variant('RecordOutcomeUnknown'),
  variant('RecordBounce', { providerMessageId: ProviderMessageId, reason: Reason }),
  /** Before it is sent: the shopper came back, or his address does not take mail. */
  variant('SuppressEmail', { orderId: OrderId, reason: Reason }),
)
export type NotificationCommand = TypeOf<typeof NotificationCommand>

// Rejections

export const NotificationRejection = union(
  'NotificationRejection',
  variant('UnknownEmail'),
  variant('AlreadySent', { providerMessageId: ProviderMessageId }),
  variant('UnknownMessage', { providerMessageId: ProviderMessageId }),
)
export type NotificationRejection = TypeOf<typeof NotificationRejection>

type NotificationDecision = Decision<NotificationRejection, NotificationEvent>

/** Idempotent per mail and per message. */
export const decide = (command: NotificationCommand, notification: Notification): NotificationDecision => {
  const { request, sent } = notification
  switch (command._tag) {
    case 'RequestEmail':
      return request === 'none' ? accept({ ...command, _tag: 'EmailRequested' }) : accept()
    case 'SuppressEmail': {
      const { orderId, reason } = command
      if (request === 'suppressed') return accept()
      if (sent[0] !== undefined) return reject({ _tag: 'AlreadySent', providerMessageId: sent[0] })
      return accept({ _tag: 'EmailSuppressed', orderId, reason })
    }
    case 'RecordSent':
    case 'RecordOutcomeUnknown':
    case 'RecordBounce':
      return decideOutcome(command, notification)
  }
}

type Outcome = Extract<
  NotificationCommand,
  { readonly _tag: 'RecordSent' | 'RecordOutcomeUnknown' | 'RecordBounce' }
>

const decideOutcome = (outcome: Outcome, notification: Notification): NotificationDecision => {
  const { request, orderId, sent, bounced } = notification
  if (orderId === undefined) return reject({ _tag: 'UnknownEmail' })
  switch (outcome._tag) {
    case 'RecordOutcomeUnknown':
      return request === 'asked' && sent.length === 0
        ? accept({ _tag: 'EmailOutcomeUnknown', orderId })
        : accept()
    case 'RecordSent': {
      const { providerMessageId } = outcome
      if (sent.includes(providerMessageId)) return accept()
      const most = request === 'doubtful' ? 2 : 1
      const last = sent[most - 1]
      if (last !== undefined) return reject({ _tag: 'AlreadySent', providerMessageId: last })
      return accept({ _tag: 'EmailSent', orderId, providerMessageId })
    }
    case 'RecordBounce': {
      const { providerMessageId, reason } = outcome
      if (!sent.includes(providerMessageId)) return reject({ _tag: 'UnknownMessage', providerMessageId })
      if (bounced.includes(providerMessageId)) return accept()
      return accept({ _tag: 'EmailBounced', orderId, providerMessageId, reason })
    }
  }
}

export const decider: Decider<NotificationCommand, Notification, NotificationEvent, NotificationRejection> = {
  initial,
  evolve,
  decide,
}

export const aggregate = aggregateOf({
  ...decider,
  name: 'notification',
  command: NotificationCommand,
  event: NotificationEvent,
  rejection: NotificationRejection,
  snapshot: plainSnapshot(Notification),
  reducer: 1,
})
