/**
 * The payment methods of Stripe's testing page, and what each one does when it is charged.
 *
 * Source: https://docs.stripe.com/testing (cards, declines, regulatory cards, disputes, refunds) and
 * https://docs.stripe.com/payments/multicapture (which cards support it).
 */

export interface Decline {
  readonly code: string
  readonly declineCode?: string
  readonly message: string
}

export interface TestMethod {
  readonly type: 'card' | 'us_bank_account'
  readonly brand: string
  readonly last4: string
  /** The shopper must pass 3-D Secure before the card is charged. */
  readonly authentication: boolean
  readonly multicapture: boolean
  readonly decline?: Decline
  readonly dispute?: 'fraudulent' | 'product_not_received' | 'inquiry'
  /** What becomes of a refund that is not simply made. */
  readonly refund?: 'fails' | 'pending'
  /** How a bank debit ends, some time after it was accepted. */
  readonly settles?: 'succeed' | 'fail' | 'never'
}

const card = (brand: string, last4: string, more: Partial<TestMethod> = {}): TestMethod => ({
  type: 'card',
  brand,
  last4,
  authentication: false,
  multicapture: true,
  ...more,
})

const debit = (settles: 'succeed' | 'fail' | 'never'): TestMethod => ({
  type: 'us_bank_account',
  brand: 'STRIPE TEST BANK',
  last4: '6789',
  authentication: false,
  multicapture: false,
  settles,
  ...(settles === 'fail' && {
    decline: {
      code: 'payment_intent_payment_attempt_failed',
      message: 'The customer has insufficient funds.',
    },
  }),
})

const declined = (last4: string, decline: Decline, more: Partial<TestMethod> = {}): TestMethod =>
  card('visa', last4, { decline, ...more })

const generic = { code: 'card_declined', declineCode: 'generic_decline', message: 'Your card was declined.' }
const noFunds = {
  code: 'card_declined',
  declineCode: 'insufficient_funds',
  message: 'Your card has insufficient funds.',
}
const velocity = {
  code: 'card_declined',
  declineCode: 'card_velocity_exceeded',
  message:
    'Your card was declined for making repeated attempts too frequently or exceeding its amount limit.',
}
const processing = {
  code: 'processing_error',
  message: 'An error occurred while processing your card. Try again in a little bit.',
}

const METHODS: Readonly<Record<string, TestMethod>> = {
  pm_card_visa: card('visa', '4242'),
  pm_card_visa_debit: card('visa', '5556'),
  pm_card_mastercard: card('mastercard', '4444'),
  pm_card_mastercard_debit: card('mastercard', '8210'),
  pm_card_mastercard_prepaid: card('mastercard', '5100'),
  pm_card_amex: card('amex', '8431'),
  pm_card_discover: card('discover', '1117'),
  pm_card_diners: card('diners', '3237'),
  pm_card_jcb: card('jcb', '0505'),
  pm_card_unionpay: card('unionpay', '0005'),
  pm_card_us: card('visa', '4242'),
  pm_card_credit_disableEnterpriseCardFeatures: card('visa', '0076', { multicapture: false }),

  pm_card_chargeDeclined: declined('0002', generic),
  pm_card_visa_chargeDeclined: declined('0002', generic),
  pm_card_chargeCustomerFail: declined('0341', generic),
  pm_card_chargeDeclinedInsufficientFunds: declined('9995', noFunds),
  pm_card_visa_chargeDeclinedInsufficientFunds: declined('9995', noFunds),
  pm_card_chargeDeclinedLostCard: declined('9987', { ...generic, declineCode: 'lost_card' }),
  pm_card_visa_chargeDeclinedLostCard: declined('9987', { ...generic, declineCode: 'lost_card' }),
  pm_card_chargeDeclinedStolenCard: declined('9979', { ...generic, declineCode: 'stolen_card' }),
  pm_card_visa_chargeDeclinedStolenCard: declined('9979', { ...generic, declineCode: 'stolen_card' }),
  pm_card_chargeDeclinedFraudulent: declined('0019', { ...generic, declineCode: 'fraudulent' }),
  pm_card_radarBlock: declined('0019', { ...generic, declineCode: 'fraudulent' }),
  pm_card_chargeDeclinedExpiredCard: declined('0069', {
    code: 'expired_card',
    message: 'Your card has expired.',
  }),
  pm_card_chargeDeclinedIncorrectCvc: declined('0127', {
    code: 'incorrect_cvc',
    message: "Your card's security code is incorrect.",
  }),
  pm_card_chargeDeclinedProcessingError: declined('0119', processing),
  pm_card_chargeDeclinedVelocityLimitExceeded: declined('6975', velocity),
  pm_card_visa_chargeDeclinedVelocityLimitExceeded: declined('6975', velocity),

  pm_card_authenticationRequired: card('visa', '3184', { authentication: true }),
  pm_card_authenticationRequiredOnSetup: card('visa', '3155', { authentication: true }),
  pm_card_threeDSecure2Required: card('visa', '3220', { authentication: true }),
  pm_card_threeDSecureRequired: card('visa', '3063', { authentication: true }),
  pm_card_threeDSecureOptional: card('visa', '3055'),
  pm_card_threeDSecureRequiredChargeDeclined: declined('8402', generic, { authentication: true }),
  pm_card_authenticationRequiredChargeDeclinedInsufficientFunds: declined('8260', noFunds, {
    authentication: true,
  }),

  pm_card_createDispute: card('visa', '0259', { dispute: 'fraudulent' }),
  pm_card_createDisputeProductNotReceived: card('visa', '2685', { dispute: 'product_not_received' }),
  pm_card_createDisputeInquiry: card('visa', '1976', { dispute: 'inquiry' }),
  pm_card_refundFail: card('visa', '5126', { refund: 'fails' }),
  pm_card_pendingRefund: card('visa', '7726', { refund: 'pending' }),

  pm_usBankAccount_success: debit('succeed'),
  pm_usBankAccount_insufficientFunds: debit('fail'),
  pm_usBankAccount_processing: debit('never'),
}

export const testMethod = (token: string): TestMethod | undefined =>
  Object.hasOwn(METHODS, token) ? METHODS[token] : undefined
