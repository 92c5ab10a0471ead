/**
 * A payment provider of a few lines: it keeps its word by idempotency key, and does to each order's payment what the
 * order's plan says.
 */
import { bind, E, type GatewayBinding, type TE } from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Payment, Shop } from '@everfold/ecommerce'
import type { VirtualKernel } from '@everfold/runtime-memory'

/** What becomes of an attempt to pay. */
type Attempt =
  | 'authorized'
  | 'declined'
  | 'refused'
  /** Its answer is lost; whether it was made is found out later. */
  | 'made in silence'
  | 'lost in silence'
  /** The bank asks the shopper, who acts, fails or goes away. */
  | 'action'

export interface Conduct {
  readonly attempt: Attempt
  /** How often the answer to a capture is lost before it was made. */
  readonly lostCaptures: number
  readonly lostCancels: number
  readonly failedRefunds: number
}

/** What the provider holds. */
export interface Intent {
  status: 'requires_action' | 'requires_payment_method' | 'requires_capture' | 'succeeded' | 'canceled'
  readonly amount: number
  captured: number
  readonly refunds: Map<string, { readonly amount: number; readonly status: 'succeeded' | 'failed' }>
  declineCode?: string
}

export interface Bank {
  readonly intents: ReadonlyMap<string, Intent>
  readonly binding: GatewayBinding
  /** The shopper acts, or fails to, where he was asked to. */
  act(this: void, orderId: string, succeeds: boolean): void
  /** What is so at the provider now, as a command for the payment. */
  statementOf(this: void, orderId: string): Payment.PaymentCommand | undefined
}

const command = valid(Payment.PaymentCommand)
type Request = Extract<Payment.PaymentEvent, { readonly orderId: string }>
type Answer = Payment.PaymentCommand | undefined

interface Books {
  readonly kernel: VirtualKernel
  readonly intents: Map<string, Intent>
  /** How often each operation on each order was tried. */
  readonly tries: Map<string, number>
}

export const bank = (kernel: VirtualKernel, conductOf: (orderId: string) => Conduct): Bank => {
  const books: Books = { kernel, intents: new Map(), tries: new Map() }
  const answers = new Map<string, Answer>()
  const call =
    (event: Request, key: string): TE.TaskEither<never, Answer> =>
    async () => {
      await kernel.sleep(event._tag === 'PaymentOutcomeUnknown' ? 5000 : 200)
      if (!answers.has(key)) answers.set(key, answer(books, event, conductOf(event.orderId)))
      return E.right(answers.get(key))
    }
  const act = (orderId: string, succeeds: boolean) => {
    const intent = books.intents.get(orderId)
    if (intent?.status !== 'requires_action') return
    intent.status = succeeds ? 'requires_capture' : 'requires_payment_method'
    if (!succeeds) intent.declineCode = 'authentication_failed'
  }
  return {
    intents: books.intents,
    binding: bind(Shop.payments, ({ recorded, key }) => call(recorded.event, key)),
    act,
    statementOf: (orderId) => said(books, orderId, 'RecordProviderEvent'),
  }
}

const answer = (books: Books, event: Request, conduct: Conduct): Answer => {
  const { orderId } = event
  const intent = books.intents.get(orderId)
  const lost = (times: number) => triedBefore(books, `${event._tag} ${orderId}`) < times
  switch (event._tag) {
    case 'PaymentRequested':
      return answerPayment(books, event, conduct)
    case 'CaptureRequested':
      if (lost(conduct.lostCaptures)) return silence('capture')
      if (intent?.status !== 'requires_capture') return refusal('capture')
      intent.status = 'succeeded'
      intent.captured = event.amount.amount
      break
    case 'CancelRequested':
      if (lost(conduct.lostCancels)) return silence('cancel')
      if (intent === undefined || intent.status === 'succeeded') return refusal('cancel')
      intent.status = 'canceled'
      break
    case 'RefundRequested': {
      const status = lost(conduct.failedRefunds) ? 'failed' : 'succeeded'
      intent?.refunds.set(event.refundId, { amount: event.amount.amount, status })
      break
    }
    case 'PaymentOutcomeUnknown':
      return said(books, orderId, 'ResolveUnknown') ?? command({ _tag: 'ResolveUnknown' })
    default:
      return undefined
  }
  return said(books, orderId, 'RecordProviderEvent')
}

const answerPayment = (
  books: Books,
  { orderId, amount }: Extract<Request, { readonly _tag: 'PaymentRequested' }>,
  { attempt }: Conduct,
): Answer => {
  if (attempt === 'refused') return refusal('payment')
  if (attempt === 'lost in silence') return silence('payment')
  books.intents.set(orderId, opened(attempt, amount.amount))
  return attempt === 'made in silence' ? silence('payment') : said(books, orderId, 'RecordProviderEvent')
}

const triedBefore = ({ tries }: Books, what: string): number => {
  const before = tries.get(what) ?? 0
  tries.set(what, before + 1)
  return before
}

const refusal = (operation: Payment.RefusableOperation) =>
  command({ _tag: 'RecordRefused', operation, code: 'resource_missing' })
const silence = (operation: Payment.Operation) => command({ _tag: 'RecordOutcomeUnknown', operation })

const said = (
  { kernel, intents }: Books,
  orderId: string,
  _tag: 'RecordProviderEvent' | 'ResolveUnknown',
): Answer => {
  const intent = intents.get(orderId)
  return intent === undefined
    ? undefined
    : command({ _tag, statement: statementOf(orderId, intent, kernel.nowMs()) })
}

const opened = (attempt: Attempt, amount: number): Intent => {
  const intent = { amount, captured: 0, refunds: new Map() }
  if (attempt === 'declined')
    return { ...intent, status: 'requires_payment_method', declineCode: 'insufficient_funds' }
  return { ...intent, status: attempt === 'action' ? 'requires_action' : 'requires_capture' }
}

const statementOf = (orderId: string, intent: Intent, createdAtMs: number) => {
  const { status, amount, captured, refunds, declineCode } = intent
  const authorized = status === 'requires_capture' || status === 'succeeded'
  return {
    providerPaymentId: `pi-${orderId}`,
    currency: 'USD',
    createdAtMs,
    status,
    sequence: 1,
    captured,
    refunds: Array.from(refunds, ([refundId, refund]) => ({ refundId, ...refund })),
    ...(authorized ? { authorized: amount } : {}),
    ...(status === 'requires_action'
      ? { nextAction: { redirectUrl: `https://bank.example/${orderId}` } }
      : {}),
    ...(declineCode === undefined ? {} : { declineCode }),
    ...(status === 'canceled' ? { cancellationCode: 'requested_by_customer' } : {}),
  }
}

export const refundedBy = ({ refunds }: Intent): number =>
  [...refunds.values()].reduce((sum, { amount, status }) => (status === 'succeeded' ? sum + amount : sum), 0)
