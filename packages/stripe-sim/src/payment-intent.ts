/**
 * Payment intents: one purchase from its amount to its end.
 *
 * requires_payment_method -> requires_confirmation -> requires_action -> processing -> requires_capture ->
 * succeeded | canceled. This file creates, changes and cancels them; confirmation.ts and capture.ts move the money.
 *
 * The parameter that was `payment_method_types` is `allowed_payment_method_types` since the version 2026-09-30.endive.
 *
 * Source: https://docs.stripe.com/api/payment_intents and
 * https://docs.stripe.com/payments/paymentintents/lifecycle
 */
import { type HeldMethod, type PaymentIntent, revise, seconds, type Turn, unsetTimers } from './account.ts'
import { invalid, ok, type Result, refused } from './api-error.ts'
import { emit } from './event.ts'
import { checkAmount, checkCurrency } from './money.ts'
import { boolean, fields, filled, integer, list, metadata, oneOf, string, type ValueOf } from './parameter.ts'
import { mintOrFind } from './payment-method.ts'

const address = fields({
  city: string(),
  country: string(2),
  line1: string(),
  line2: string(),
  postal_code: string(),
  state: string(),
})

export const methodOptions = fields({
  card: fields({
    request_multicapture: oneOf('if_available', 'never'),
    request_three_d_secure: oneOf('automatic', 'any', 'challenge'),
  }),
})
export type MethodOptions = ValueOf<typeof methodOptions>

const shared = {
  allowed_payment_method_types: list(oneOf('card', 'us_bank_account')),
  capture_method: oneOf('automatic', 'automatic_async', 'manual'),
  description: string(1_000),
  expand: list(string()),
  metadata,
  payment_method: filled(),
  payment_method_options: methodOptions,
  receipt_email: string(800),
  shipping: fields({
    address,
    carrier: string(),
    name: string(),
    phone: string(),
    tracking_number: string(),
  }),
  statement_descriptor: string(22),
  statement_descriptor_suffix: string(22),
} as const

export const confirmOptions = {
  error_on_requires_action: boolean,
  off_session: boolean,
  return_url: filled(),
  use_stripe_sdk: boolean,
} as const

export const createParameters = fields(
  {
    ...shared,
    ...confirmOptions,
    amount: integer,
    automatic_payment_methods: fields(
      { allow_redirects: oneOf('always', 'never'), enabled: boolean },
      'enabled',
    ),
    confirm: boolean,
    confirmation_method: oneOf('automatic'),
    currency: filled(),
  },
  'amount',
  'currency',
)
export type CreateParameters = ValueOf<typeof createParameters>

const { allowed_payment_method_types: _types, ...changeable } = shared
export const updateParameters = fields({ ...changeable, amount: integer })
export type UpdateParameters = ValueOf<typeof updateParameters>

export const cancelParameters = fields({
  cancellation_reason: oneOf('abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'),
  expand: list(string()),
})

/** Merges, unsetting keys whose new value is empty. */
export const mergeMetadata = (
  before: Readonly<Record<string, string>>,
  change: ReadonlyMap<string, string> | '' | undefined,
): Record<string, string> => {
  if (change === undefined) return { ...before }
  if (change === '') return {}
  const merged = new Map([...Object.entries(before), ...change])
  return Object.fromEntries([...merged].filter(([, value]) => value !== ''))
}

/** A confirmation needs a place to send the shopper back to, unless no method it may meet would redirect. */
export const checkReturnUrl = (
  intent: Pick<PaymentIntent, 'allowed_payment_method_types' | 'automatic_payment_methods'>,
  returnUrl: string | undefined,
): Result<null> => {
  const automatic = intent.automatic_payment_methods
  const redirects = automatic?.enabled === true && automatic.allow_redirects !== 'never'
  if (!redirects || intent.allowed_payment_method_types !== null || returnUrl !== undefined) return ok(null)
  return invalid(
    'This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these ' +
      'payment methods might redirect your customer off of your page, you must provide a `return_url`. If you ' +
      "don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and " +
      '`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.',
    undefined,
    'return_url',
  )
}

const methodRules = (params: CreateParameters) => {
  const allowed = params.allowed_payment_method_types
  const asked = params.automatic_payment_methods
  return {
    allowed_payment_method_types: allowed === undefined ? null : [...allowed],
    automatic_payment_methods:
      allowed !== undefined && asked === undefined
        ? null
        : { enabled: asked?.enabled ?? true, allow_redirects: asked?.allow_redirects ?? 'always' },
    payment_method_types: [...(allowed ?? ['card', 'us_bank_account'])],
  }
}

/** What can be said against a creation before anything is made: nothing is kept for the idempotency key. */
export const checkCreation = (params: CreateParameters): Result<null> => {
  const currency = checkCurrency(params.currency)
  if (!currency.ok) return currency
  const amount = checkAmount(params.amount, params.currency)
  if (!amount.ok) return amount
  if (params.confirm !== true) {
    const early = (['off_session', 'return_url', 'error_on_requires_action'] as const).find(
      (name) => params[name] !== undefined,
    )
    return early === undefined
      ? ok(null)
      : invalid(`You can only use \`${early}\` when \`confirm\` is true.`, undefined, early)
  }
  if (params.payment_method === undefined)
    return invalid(
      'You cannot confirm this PaymentIntent because it is missing a payment method.',
      'parameter_missing',
      'payment_method',
    )
  return checkReturnUrl(methodRules(params), params.return_url)
}

/** Whether the intent can be paid that way at all; asked before anything is made. */
export const checkMethod = (
  intent: Pick<PaymentIntent, 'capture_method' | 'payment_method_types'>,
  method: HeldMethod,
): Result<null> => {
  const { type } = method.behaviour
  if (!intent.payment_method_types.includes(type))
    return refused(
      `The PaymentMethod provided (${type}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of ` +
        `one of the following types: ${intent.payment_method_types.join(', ')}.`,
      'payment_intent_invalid_parameter',
      { param: 'payment_method' },
    )
  return type === 'us_bank_account' && intent.capture_method === 'manual'
    ? refused('The payment method us_bank_account does not support manual capture.', undefined, {
        param: 'capture_method',
      })
    : ok(null)
}

const unused = {
  application: null,
  application_fee_amount: null,
  canceled_at: null,
  cancellation_reason: null,
  confirmation_method: 'automatic',
  customer: null,
  customer_account: null,
  excluded_payment_method_types: null,
  last_payment_error: null,
  latest_charge: null,
  livemode: false,
  managed_payments: null,
  next_action: null,
  object: 'payment_intent',
  on_behalf_of: null,
  payment_method_configuration_details: null,
  payment_record: null,
  processing: null,
  review: null,
  setup_future_usage: null,
  source: null,
  transfer_group: null,
} as const

const described = (params: CreateParameters) => ({
  description: params.description ?? null,
  metadata: mergeMetadata({}, params.metadata),
  receipt_email: params.receipt_email ?? null,
  shipping: (params.shipping ?? null) as PaymentIntent['shipping'],
  statement_descriptor: params.statement_descriptor ?? null,
  statement_descriptor_suffix: params.statement_descriptor_suffix ?? null,
})

export const cardOptions = (asked: MethodOptions | undefined): PaymentIntent['payment_method_options'] => ({
  card: {
    installments: null,
    mandate_options: null,
    network: null,
    request_three_d_secure: 'automatic',
    ...(asked?.card?.request_multicapture === 'if_available' && { request_multicapture: 'if_available' }),
    ...(asked?.card?.request_three_d_secure !== undefined && {
      request_three_d_secure: asked.card.request_three_d_secure,
    }),
  },
})

export const create = (turn: Turn, params: CreateParameters): Result<PaymentIntent> => {
  const method = params.payment_method === undefined ? undefined : mintOrFind(turn, params.payment_method)
  if (method !== undefined && !method.ok) return method
  const how = {
    capture_method: params.capture_method ?? 'automatic_async',
    ...methodRules(params),
  }
  const payable = method === undefined ? ok(null) : checkMethod(how, method.value)
  if (!payable.ok) return payable
  const id = turn.account.random.id('pi')
  const intent: PaymentIntent = {
    ...unused,
    ...described(params),
    ...how,
    id,
    amount: params.amount,
    amount_capturable: 0,
    amount_received: 0,
    client_secret: turn.account.random.id(`${id}_secret`),
    created: seconds(turn),
    currency: params.currency,
    payment_method: method?.value.object.id ?? null,
    payment_method_options: cardOptions(params.payment_method_options),
    status: method === undefined ? 'requires_payment_method' : 'requires_confirmation',
  }
  turn.account.intents.set(id, intent)
  emit(turn, 'payment_intent.created', intent)
  return ok(intent)
}

/** The refusal Stripe gives when an intent's state does not allow what was asked. */
export const unexpectedState = (intent: PaymentIntent, deed: string, allowed: ReadonlyArray<string>) =>
  refused(
    `This PaymentIntent could not be ${deed} because it has a status of ${intent.status}. Only a PaymentIntent with ` +
      `one of the following statuses may be ${deed}: ${allowed.join(', ')}.`,
    'payment_intent_unexpected_state',
    { payment_intent: intent },
  )

const MONEY_CHANGES = ['requires_payment_method', 'requires_confirmation']

const methodPatch = (
  turn: Turn,
  intent: PaymentIntent,
  params: UpdateParameters,
): Result<Partial<PaymentIntent>> => {
  if (params.payment_method === undefined) return ok({})
  const method = mintOrFind(turn, params.payment_method)
  if (!method.ok) return method
  const how = { ...intent, capture_method: params.capture_method ?? intent.capture_method }
  const payable = checkMethod(how, method.value)
  return payable.ok
    ? ok({ payment_method: method.value.object.id, status: 'requires_confirmation' as const })
    : payable
}

/** Sends no event, as Stripe does not. */
export const update = (
  turn: Turn,
  intent: PaymentIntent,
  params: UpdateParameters,
): Result<PaymentIntent> => {
  const decisive = [
    params.amount,
    params.capture_method,
    params.payment_method,
    params.payment_method_options,
  ]
  if (decisive.some((each) => each !== undefined) && !MONEY_CHANGES.includes(intent.status))
    return unexpectedState(intent, 'updated', MONEY_CHANGES)
  const amount = params.amount === undefined ? ok(0) : checkAmount(params.amount, intent.currency)
  if (!amount.ok) return amount
  const method = methodPatch(turn, intent, params)
  if (!method.ok) return method
  const { expand: _, metadata: change, payment_method_options: options, shipping, ...plain } = params
  const said = Object.fromEntries(
    Object.entries(plain)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, value === '' ? null : value]),
  )
  return ok(
    revise(turn.account.intents, intent, {
      ...said,
      ...method.value,
      metadata: mergeMetadata(intent.metadata, change),
      ...(shipping !== undefined && { shipping: shipping as PaymentIntent['shipping'] }),
      ...(options !== undefined && {
        payment_method_options: cardOptions(options),
      }),
    }),
  )
}

const CANCELABLE = ['requires_payment_method', 'requires_capture', 'requires_confirmation', 'requires_action']

/** Ends the intent and releases what was authorized, making no refund object. */
export const endCanceled = (
  turn: Turn,
  intent: PaymentIntent,
  reason: NonNullable<PaymentIntent['cancellation_reason']> | null,
): PaymentIntent => {
  const next = revise(turn.account.intents, intent, {
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: seconds(turn),
    cancellation_reason: reason,
    next_action: null,
  })
  unsetTimers(turn.account, intent.id)
  emit(turn, 'payment_intent.canceled', next)
  return next
}

/** A partly captured intent is released by a final capture of nothing, not canceled. */
export const cancel = (
  turn: Turn,
  intent: PaymentIntent,
  params: ValueOf<typeof cancelParameters>,
): Result<PaymentIntent> => {
  if (!CANCELABLE.includes(intent.status) || intent.amount_received > 0)
    return unexpectedState(intent, 'canceled', CANCELABLE)
  return ok(endCanceled(turn, intent, params.cancellation_reason ?? null))
}
