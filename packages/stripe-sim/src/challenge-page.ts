/**
 * The page a shopper is sent to for 3-D Secure, which needs no API key but the intent's client secret.
 *
 * Without `outcome` it offers two links; with `outcome=succeed` or `outcome=fail` it decides, and sends the shopper
 * back to the return address if there is one.
 *
 * Source: https://docs.stripe.com/payments/3d-secure (redirect to the bank's website)
 */
import type { PaymentIntent, Turn } from './account.ts'
import { missing, type Result } from './api-error.ts'
import { authenticated } from './confirmation.ts'

export interface Page {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const html = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Page => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', ...headers },
  body: `<!doctype html><meta charset="utf-8"><title>3-D Secure (simulated)</title>${body}\n`,
})

const offer = (intent: PaymentIntent): Page => {
  const link = (outcome: string, text: string): string =>
    `<p><a href="?client_secret=${intent.client_secret ?? ''}&amp;outcome=${outcome}">${text}</a></p>`
  return html(
    200,
    `<h1>Pay ${intent.amount} ${intent.currency}?</h1>${link('succeed', 'Authenticate')}${link('fail', 'Fail')}`,
  )
}

const backTo = (returnUrl: string, intent: PaymentIntent): string => {
  const url = new URL(returnUrl)
  url.searchParams.set('payment_intent', intent.id)
  url.searchParams.set('payment_intent_client_secret', intent.client_secret ?? '')
  url.searchParams.set(
    'redirect_status',
    intent.status === 'requires_payment_method' ? 'failed' : 'succeeded',
  )
  return url.href
}

/** The test's hand, playing the shopper. */
export const completeAuthentication = (
  turn: Turn,
  id: string,
  outcome: 'succeed' | 'fail',
): Result<PaymentIntent> => {
  const intent = turn.account.intents.get(id)
  return intent === undefined ? missing('payment_intent', id, 'id') : authenticated(turn, intent, outcome)
}

/** Undefined when the path is not a challenge's. */
export const challengePage = (turn: Turn, path: string, query: URLSearchParams): Page | undefined => {
  const id = /^\/3d_secure\/(\w+)$/.exec(path)?.[1]
  if (id === undefined) return undefined
  const intent = turn.account.intents.get(id)
  if (intent === undefined || query.get('client_secret') !== intent.client_secret)
    return html(404, '<p>No such payment.</p>')
  const outcome = query.get('outcome')
  if (outcome !== 'succeed' && outcome !== 'fail') return offer(intent)
  const returnUrl = intent.next_action?.redirect_to_url?.return_url ?? null
  const done = completeAuthentication(turn, id, outcome)
  if (!done.ok) return html(409, '<p>This payment is not waiting for authentication.</p>')
  if (returnUrl === null || !URL.canParse(returnUrl)) return html(200, `<p>Done: ${done.value.status}.</p>`)
  return html(302, '', { location: backTo(returnUrl, done.value) })
}
