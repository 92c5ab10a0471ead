/** What becomes of one operation, in the shop's terms. */
import type { ProviderStatement } from '@everfold/ecommerce'
import type { Stripe } from 'stripe'
import type { Failed, Outcome } from './outcome.ts'
import { ofIntent } from './statement.ts'

type Statement = ProviderStatement.ProviderStatement

export type Settlement =
  | { readonly _tag: 'Said'; readonly statement: Statement }
  /** It was not done, and will not be: it may be asked for again, differently. */
  | { readonly _tag: 'Refused'; readonly code: string }
  /** There is no such payment at Stripe, and none will come of what was asked. */
  | { readonly _tag: 'Absent'; readonly code: string }
  /** Nobody knows; asking again is in vain where the non-answer is kept. */
  | { readonly _tag: 'Unknown'; readonly kept: boolean; readonly cause: unknown }
  | Unavailable

/** Nothing was done now. */
export interface Unavailable {
  readonly _tag: 'Unavailable'
  readonly cause: unknown
}

/** Asked for so long ago that Stripe may have forgotten the key, and never done. */
export const EXPIRED = 'request_expired'

export const said = (
  statement: Statement | undefined,
): Unavailable | { readonly _tag: 'Said'; readonly statement: Statement } =>
  statement === undefined
    ? { _tag: 'Unavailable', cause: new Error('what Stripe holds cannot be read as a statement') }
    : { _tag: 'Said', statement }

export const refusal = (code: string): Settlement => ({ _tag: 'Refused', code })
export const absent = (code: string): Settlement => ({ _tag: 'Absent', code })

/** A failure that is no answer; of the others, the word that Stripe gave for them. */
export const unanswered = (failed: Failed): Settlement | undefined => {
  switch (failed._tag) {
    case 'Lost':
      return { _tag: 'Unknown', kept: failed.kept, cause: failed.cause }
    case 'TurnedAway':
      return { _tag: 'Unavailable', cause: failed.cause }
    case 'Declined':
    case 'Refused':
      return undefined
  }
}

export const codeOf = (failed: Failed): string => {
  if (failed._tag === 'Refused') return failed.code
  const error = failed._tag === 'Declined' ? failed.intent.last_payment_error : undefined
  return error?.decline_code ?? error?.code ?? 'card_declined'
}

/** A look-up that failed tells nothing: it is made again, whatever the reason. */
export const blind = (failed: Failed): Unavailable => ({
  _tag: 'Unavailable',
  cause: 'cause' in failed ? failed.cause : new Error(`Stripe does not let us look: ${codeOf(failed)}`),
})

/**
 * After a refusal: what the intent is now, where that answers what was asked; somebody may have been faster. Else the
 * refusal stands.
 */
export const unlessAnswered = (
  looked: Outcome<Stripe.PaymentIntent>,
  code: string,
  answers: (intent: Stripe.PaymentIntent, statement: Statement) => boolean,
): Settlement => {
  if (looked._tag !== 'Answered') return blind(looked)
  const statement = ofIntent(looked.value)
  return statement !== undefined && answers(looked.value, statement) ? said(statement) : refusal(code)
}
