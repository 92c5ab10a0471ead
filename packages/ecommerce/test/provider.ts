/** What a payment provider may say: anything at all, or the life of one payment as it really goes. */
import { valid } from '@everfold/core/testing'
import { fc } from '@fast-check/vitest'
import { ProviderStatement } from '../src/index.ts'

const statement = valid(ProviderStatement.ProviderStatement)
type Statement = ProviderStatement.ProviderStatement

const anyAmount = fc.integer({ min: 0, max: 5 })
const anyRefund = fc.record({
  refundId: fc.constantFrom('r-1', 'r-2', 'r-3'),
  amount: anyAmount,
  status: fc.constantFrom('pending', 'requires_action', 'succeeded', 'canceled', 'failed'),
})
const anyDispute = fc.record({
  disputeId: fc.constantFrom('dp_1', 'dp_2'),
  amount: anyAmount,
  status: fc.constantFrom('open', 'closed', 'won', 'lost'),
  withdrawn: anyAmount,
  reinstated: anyAmount,
})

/** Statements of one payment that need not agree with one another. */
export const anyStatement: fc.Arbitrary<Statement> = fc
  .record(
    {
      providerPaymentId: fc.constant('pi_1'),
      currency: fc.constant('USD'),
      createdAtMs: fc.integer({ min: 1, max: 4 }).map((second) => second * 1000),
      status: fc.constantFrom(
        'requires_payment_method',
        'requires_confirmation',
        'requires_action',
        'processing',
        'requires_capture',
        'succeeded',
        'canceled',
      ),
      sequence: fc.integer({ min: 1, max: 3 }),
      attemptId: fc.constantFrom('ch_1', 'ch_2'),
      declineCode: fc.constantFrom('insufficient_funds', 'expired_card'),
      nextAction: fc.record({
        redirectUrl: fc.constantFrom('https://bank.example/1', 'https://bank.example/2'),
      }),
      cancellationCode: fc.constantFrom('requested_by_customer', 'automatic'),
      captureBeforeMs: fc.constantFrom(5000, 6000),
      authorized: anyAmount,
      captured: anyAmount,
      refunded: anyAmount,
      refunds: fc.array(anyRefund, { maxLength: 3 }),
      disputes: fc.array(anyDispute, { maxLength: 2 }),
    },
    { requiredKeys: ['providerPaymentId', 'currency', 'createdAtMs'] },
  )
  .map(statement)

/** One payment of 100 as the provider lives it. */
export interface Life {
  /** In the order in which it happened; the last is what the provider holds in the end. */
  readonly statements: ReadonlyArray<Statement>
  readonly final: {
    readonly status: string
    readonly authorized: number
    readonly captured: number
    readonly refunded: number
  }
}

interface Plan {
  readonly refusals: ReadonlyArray<{ readonly action: boolean; readonly code: string }>
  readonly end: 'refused' | 'canceled' | 'lapsed' | 'captured'
  readonly manual: boolean
  readonly captures: ReadonlyArray<number>
  readonly refunds: ReadonlyArray<{
    readonly amount: number
    readonly end: 'pending' | 'succeeded' | 'failed'
  }>
}

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  refusals: fc.array(
    fc.record({
      action: fc.boolean(),
      code: fc.constantFrom('insufficient_funds', 'expired_card', 'authentication_failed'),
    }),
    { maxLength: 2 },
  ),
  end: fc.constantFrom(
    'refused' as const,
    'canceled' as const,
    'lapsed' as const,
    'captured' as const,
    'captured' as const,
  ),
  manual: fc.boolean(),
  captures: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 2 }),
  refunds: fc.array(
    fc.record({
      amount: fc.integer({ min: 1, max: 40 }),
      end: fc.constantFrom('pending' as const, 'succeeded' as const, 'failed' as const),
    }),
    { maxLength: 3 },
  ),
})

type Said = Omit<Statement, 'providerPaymentId' | 'currency' | 'createdAtMs'>

/** What is said of the attempts to pay, each statement whole. */
const attempts = ({ refusals, end, manual }: Plan): ReadonlyArray<object> => {
  const refused = refusals.flatMap(({ action, code: declineCode }, index) => {
    const attemptId = `ch_${index}`
    const asked = {
      status: 'requires_action',
      attemptId,
      nextAction: { redirectUrl: 'https://bank.example' },
    }
    const declined = { status: 'requires_payment_method', attemptId, declineCode }
    return action ? [asked, declined] : [declined]
  })
  const opened = [{ status: 'requires_payment_method' }, ...refused]
  if (end === 'refused') return opened
  const attemptId = 'ch_last'
  const tried = { status: 'processing', attemptId }
  const held = { status: 'requires_capture', attemptId, authorized: 100 }
  const canceled = { status: 'canceled', attemptId }
  if (end === 'canceled') return [...opened, tried, { ...canceled, cancellationCode: 'abandoned' }]
  if (end === 'lapsed')
    return [...opened, tried, held, { ...canceled, authorized: 100, cancellationCode: 'automatic' }]
  return [...opened, tried, ...(manual ? [held] : [])]
}

const capturing = ({ end, manual, captures }: Plan): ReadonlyArray<Said & { captured: number }> => {
  if (end !== 'captured') return []
  let captured = 0
  return (manual ? captures : [100]).map((amount, index, all) => {
    captured += amount
    const status = index === all.length - 1 ? 'succeeded' : 'requires_capture'
    return { status, attemptId: 'ch_last', authorized: 100, captured } as Said & { captured: number }
  })
}

const REFUND_STEPS = {
  pending: ['pending'],
  succeeded: ['pending', 'succeeded'],
  failed: ['succeeded', 'failed'],
} as const

const refunding = ({ refunds }: Plan, paid: Said & { captured: number }): ReadonlyArray<Said> => {
  const made = new Map<string, ProviderStatement.ProviderRefund>()
  const sum = () =>
    [...made.values()].reduce((total, { status, amount }) => total + (status === 'failed' ? 0 : amount), 0)
  return refunds.flatMap(({ amount, end }, index) => {
    if (sum() + amount > paid.captured) return []
    return REFUND_STEPS[end].map((status) => {
      const refund = { refundId: `r-${index}`, providerRefundId: `re_${index}`, amount, status }
      made.set(refund.refundId, valid(ProviderStatement.ProviderRefund)(refund))
      return Object.assign({}, paid, {
        refunded: sum() as typeof paid.authorized,
        refunds: [...made.values()],
      })
    })
  })
}

const live = (plan: Plan): Life => {
  const captured = capturing(plan)
  const paid = captured.at(-1)
  const said = [...attempts(plan), ...captured, ...(paid === undefined ? [] : refunding(plan, paid))]
  const statements = said.map((one, index) => {
    const when = { providerPaymentId: 'pi_1', currency: 'USD', createdAtMs: 1000 * (index + 1) }
    return statement(Object.assign(when, one))
  })
  const last = statements.at(-1)
  const given = (last?.refunds ?? []).filter(({ status }) => status === 'succeeded')
  return {
    statements,
    final: {
      status: last?.status ?? '',
      authorized: last?.authorized ?? 0,
      captured: last?.captured ?? 0,
      refunded: given.reduce((total, { amount }) => total + amount, 0),
    },
  }
}

/** The whole life of a payment, from its creation to whatever becomes of it. */
export const anyLife: fc.Arbitrary<Life> = anyPlan.map(live)

/** All of these, in any order, some of them again. */
export const redelivered = <Item>(items: ReadonlyArray<Item>): fc.Arbitrary<ReadonlyArray<Item>> =>
  fc
    .array(fc.nat({ max: Math.max(0, items.length - 1) }), { maxLength: 6 })
    .chain((again) => {
      const all = [...items.keys(), ...again]
      return fc.shuffledSubarray(
        all.map((item, place) => ({ item, place })),
        {
          minLength: all.length,
        },
      )
    })
    .map((order) => order.flatMap(({ item }) => items.slice(item, item + 1)))
