import { accept, canonical, decodeEvent, E, fold, reject } from '@everfold/core'
import { given, laws, valid } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { Payment, ProviderStatement } from '../src/index.ts'
import { anyLife, anyStatement, redelivered } from './provider.ts'

const command = valid(Payment.PaymentCommand)
const event = valid(Payment.PaymentEvent)
const payment = given(Payment.decider)

const usd = (amount: number) => ({ amount, currency: 'USD' })
const statement = (said: object) =>
  valid(ProviderStatement.ProviderStatement)({
    providerPaymentId: 'pi_1',
    currency: 'USD',
    createdAtMs: 1000,
    ...said,
  })
const recorded = (said: object) =>
  event({ _tag: 'ProviderStatementRecorded', orderId: 'o-1', statement: statement(said) })
const record = (said: object) => command({ _tag: 'RecordProviderEvent', statement: statement(said) })
const request = (more: object = {}) =>
  command({
    _tag: 'RequestPayment',
    orderId: 'o-1',
    amount: usd(100),
    paymentMethod: 'pm_card_visa',
    captureMethod: 'manual',
    ...more,
  })
const requested = event({
  _tag: 'PaymentRequested',
  orderId: 'o-1',
  amount: usd(100),
  paymentMethod: 'pm_card_visa',
  captureMethod: 'manual',
  attempt: 1,
})
const capture = (amount: number, final = true) =>
  command({ _tag: 'RequestCapture', amount: usd(amount), final })
const refund = (amount: number, refundId = 'r-1') =>
  command({ _tag: 'RequestRefund', refundId, amount: usd(amount), reason: 'returned' })
const cancel = command({ _tag: 'CancelPayment', reason: 'changed my mind' })

const failed = { status: 'requires_payment_method', declineCode: 'insufficient_funds' }
const held = { status: 'requires_capture', authorized: 100 }
const paid = { status: 'succeeded', authorized: 100, captured: 100 }

interface Step {
  readonly before: Payment.Payment
  readonly command: Payment.PaymentCommand
  readonly decision: ReturnType<typeof Payment.decide>
  readonly after: Payment.Payment
}
const start = fold(Payment.decider, [requested])
const steps = (commands: ReadonlyArray<Payment.PaymentCommand>, from = start): ReadonlyArray<Step> => {
  let before = from
  return commands.map((next) => {
    const decision = Payment.decide(next, before)
    const after = E.isRight(decision) ? fold(Payment.decider, decision.right, before) : before
    const step = { before, command: next, decision, after }
    before = after
    return step
  })
}
const after = (statements: ReadonlyArray<ProviderStatement.ProviderStatement>) =>
  steps(statements.map(record)).at(-1)?.after ?? start

const anyAmount = fc.integer({ min: -1, max: 60 })
const anyCommand: fc.Arbitrary<Payment.PaymentCommand> = fc.oneof(
  { weight: 4, arbitrary: anyStatement.map(record) },
  {
    weight: 2,
    arbitrary: fc.tuple(anyAmount, fc.boolean()).map(([amount, final]) => capture(amount, final)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(anyAmount, fc.constantFrom('r-1', 'r-2', 'r-3'))
      .map(([amount, id]) => refund(amount, id)),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      request(),
      request({ paymentMethod: 'pm_other' }),
      request({ amount: usd(0) }),
      cancel,
      command({ _tag: 'RecordOutcomeUnknown', operation: 'capture' }),
      command({ _tag: 'RecordOutcomeUnknown', operation: 'cancel' }),
      command({ _tag: 'RecordRefused', operation: 'payment', code: 'amount_too_small' }),
      command({ _tag: 'RecordRefused', operation: 'capture', code: 'amount_too_large' }),
      command({ _tag: 'RecordRefused', operation: 'cancel', code: 'payment_intent_unexpected_state' }),
      command({ _tag: 'ResolveUnknown' }),
    ),
  },
  anyStatement.map((said) => command({ _tag: 'ResolveUnknown', statement: said })),
)
/** What may follow once 100 are captured: refunds asked for, made, failed, and made elsewhere. */
const anyRefunding: fc.Arbitrary<Payment.PaymentCommand> = fc
  .tuple(
    fc.integer({ min: 1, max: 60 }),
    fc.constantFrom('r-1', 'r-2', 'r-3', 're_9'),
    fc.constantFrom('asked', 'asked', 'pending', 'succeeded', 'failed'),
  )
  .map(([amount, refundId, status]) =>
    status === 'asked' ? refund(amount, refundId) : record({ refunds: [{ refundId, amount, status }] }),
  )
/** What may follow once 100 are authorized: captures in parts, asked for and made. */
const anyCapturing: fc.Arbitrary<Payment.PaymentCommand> = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom('asked', 'asked', 'last', 'made'))
  .map(([amount, kind]) =>
    kind === 'made' ? record({ captured: amount }) : capture(amount, kind === 'last'),
  )
const anyCommands = fc.array(anyCommand, { maxLength: 25, size: 'max' })

const SEVEN = [
  { status: 'requires_payment_method' },
  { status: 'requires_action', attemptId: 'ch_1', nextAction: { redirectUrl: 'https://bank.example/3ds' } },
  { status: 'requires_payment_method', attemptId: 'ch_1', declineCode: 'authentication_failed' },
  { status: 'processing', attemptId: 'ch_2' },
  { status: 'requires_capture', attemptId: 'ch_2', authorized: 100 },
  { status: 'succeeded', attemptId: 'ch_2', authorized: 100, captured: 80 },
  { refunded: 30, refunds: [{ refundId: 'r-1', amount: 30, status: 'succeeded' }] },
].map((said, index) => statement({ createdAtMs: 1000 * (index + 1), ...said }))

const permutations = <Item>(items: ReadonlyArray<Item>): ReadonlyArray<ReadonlyArray<Item>> => {
  if (items.length === 0) return [[]]
  return items.flatMap((_, index) => {
    const first = items.slice(index, index + 1)
    return permutations(items.toSpliced(index, 1)).map((rest) => first.concat(rest))
  })
}

const expectOrderedAmounts = (state: Payment.Payment) => {
  expect(Payment.refunded(state)).toBeLessThanOrEqual(Payment.captured(state))
  expect(Payment.captured(state)).toBeLessThanOrEqual(Payment.authorized(state))
}

describe('laws', () => {
  test.each(laws(Payment.aggregate, { command: anyCommand }))('$title', async ({ check }) => {
    await expect(check(50)).resolves.toBeUndefined()
  })
})

describe('a payment, whatever is asked and heard', () => {
  property.prop([anyLife.chain((life) => fc.tuple(fc.constant(life), redelivered(life.statements)))], {
    numRuns: 500,
  })(
    'P1 every permutation, with repetitions, of one payment’s webhooks folds to the same state',
    ([{ statements, final }, delivered]) => {
      const state = after(delivered)
      expect(state).toEqual(after(statements))
      expect({
        status: Payment.statusOf(state),
        authorized: Payment.authorized(state),
        captured: Payment.captured(state),
        refunded: Payment.refunded(state),
      }).toEqual(final)
    },
  )
  test('P1 all 5,040 permutations of 7 webhooks', () => {
    const expected = canonical(after(SEVEN))
    const states = permutations(SEVEN).map((delivered) => canonical(after(delivered)))
    expect(states.length).toBe(5040)
    expect(new Set(states)).toEqual(new Set([expected]))
    expect(Payment.refunded(after(SEVEN))).toBe(30)
  })
  property.prop(
    [fc.array(anyStatement, { maxLength: 8 }).chain((all) => fc.tuple(fc.constant(all), redelivered(all)))],
    {
      numRuns: 500,
    },
  )('P1 also for webhooks that contradict one another', ([all, delivered]) => {
    expect(after(delivered)).toEqual(after(all))
  })
  property.prop([anyCommands])('P2 refunded <= captured <= authorized, at every prefix', (commands) => {
    for (const step of steps(commands)) expectOrderedAmounts(step.after)
  })
  property.prop([anyLife.chain(({ statements }) => redelivered(statements))])(
    'P2 refunded <= captured <= authorized, at every prefix of what the provider really says, in any order',
    (delivered) => {
      for (const step of steps(delivered.map(record))) expectOrderedAmounts(step.after)
    },
  )
  property.prop([anyCommands, fc.array(anyRefunding, { maxLength: 15 })])(
    'asked refunds never exceed what was captured minus what was asked before',
    (commands, more) => {
      const paidFirst = fold(Payment.decider, [requested, recorded(paid)])
      for (const { before, command: asked, decision } of [...steps(commands), ...steps(more, paidFirst)]) {
        if (asked._tag !== 'RequestRefund' || E.isLeft(decision) || decision.right.length === 0) continue
        const gone = new Set(before.known.refunds.filter(ProviderStatement.failed).map((one) => one.refundId))
        const askedBefore = before.refundsAsked
          .filter(({ refundId }) => !gone.has(refundId))
          .reduce((sum, { amount }) => sum + amount, 0)
        expect(asked.amount.amount).toBeLessThanOrEqual(Payment.captured(before) - askedBefore)
      }
    },
  )
  property.prop([anyCommands, fc.array(anyCapturing, { maxLength: 15 })])(
    'asked captures never exceed what was authorized',
    (commands, more) => {
      const heldFirst = fold(Payment.decider, [requested, recorded(held)])
      for (const step of [...steps(commands), ...steps(more, heldFirst)])
        expect(step.after.captureAsked).toBeLessThanOrEqual(Payment.authorized(step.after))
    },
  )
  property.prop([anyCommands])('the same webhook again changes nothing', (commands) => {
    for (const step of steps(commands))
      if (step.command._tag === 'RecordProviderEvent' && E.isRight(step.decision))
        expect(Payment.decide(step.command, step.after)).toEqual(accept())
  })
  property.prop([anyLife.chain(({ statements }) => redelivered(statements))])(
    'what is captured in the end is said, and a canceled payment is never said to be authorized after it',
    (delivered) => {
      const taken = steps(delivered.map(record))
      const told = taken.flatMap(({ decision }) => (E.isRight(decision) ? decision.right : []))
      const captures = told.flatMap((one) => (one._tag === 'PaymentCaptured' ? [one.amount.amount] : []))
      expect(captures.at(-1) ?? 0).toBe(Payment.captured(taken.at(-1)?.after ?? start))
      const end = told.findIndex(({ _tag }) => _tag === 'PaymentCanceled' || _tag === 'AuthorizationExpired')
      if (end >= 0) expect(told.slice(end).some(({ _tag }) => _tag === 'PaymentAuthorized')).toBe(false)
    },
  )
})

describe('asking to pay', () => {
  test('is asked once', () => {
    expect(payment().when(request())).toEqual(accept(requested))
    expect(payment(requested).when(request())).toEqual(accept())
  })
  test('again after a refusal is another attempt of the same payment', () => {
    const again = request({ paymentMethod: 'pm_other' })
    const second = event({ ...requested, paymentMethod: 'pm_other', attempt: 2 })
    expect(payment(requested).when(again)).toEqual(reject({ _tag: 'PaymentUnderWay' }))
    expect(payment(requested, recorded(failed)).when(again)).toEqual(accept(second))
    expect(payment(requested, recorded(failed), second).when(again)).toEqual(accept())
    const late = recorded({ ...failed, createdAtMs: 500 })
    expect(payment(requested, recorded(failed), second, late).when(again)).toEqual(accept())
  })
  test('is answered by news of the latest attempt, not by late news of one before', () => {
    const second = event({ ...requested, paymentMethod: 'pm_other', attempt: 2 })
    const history = [requested, recorded({ ...failed, sequence: 1 }), second]
    const late = recorded({ ...failed, createdAtMs: 9000, sequence: 1 })
    const news = recorded({ ...failed, sequence: 2 })
    const again = request({ paymentMethod: 'pm_third' })
    expect(payment(...history, late).when(again)).toEqual(
      reject({ _tag: 'PaymentUnderWay', status: 'requires_payment_method' }),
    )
    expect(payment(...history, news).when(again)).toEqual(
      accept(event({ ...second, paymentMethod: 'pm_third', attempt: 3 })),
    )
  })
  test('what the provider refuses has failed, and may be asked again', () => {
    const code = 'amount_too_small'
    const refusal = event({ _tag: 'OperationRefused', orderId: 'o-1', operation: 'payment', code })
    const refusedNow = command({ _tag: 'RecordRefused', operation: 'payment', code })
    expect(payment(requested).when(refusedNow)).toEqual(
      accept(refusal, event({ _tag: 'PaymentFailed', orderId: 'o-1', declineCode: code })),
    )
    expect(payment(requested, refusal).when(refusedNow)).toEqual(accept())
    expect(payment(requested, recorded(held)).when(refusedNow)).toEqual(accept())
    expect(payment(requested, refusal).when(request())).toEqual(accept(event({ ...requested, attempt: 2 })))
  })
  test('another amount is refused', () => {
    expect(payment(requested).when(request({ amount: usd(90) }))).toEqual(
      reject({ _tag: 'PaymentDiffers', orderId: 'o-1', amount: usd(100) }),
    )
    expect(payment().when(request({ amount: usd(0) }))).toEqual(
      reject({ _tag: 'AmountNotPositive', amount: usd(0) }),
    )
  })
})

const dispute = (more: object) => ({
  disputes: [{ disputeId: 'dp_1', amount: 100, status: 'open', withdrawn: 100, reinstated: 0, ...more }],
})

const declineCodeAfter = (...history: ReadonlyArray<Payment.PaymentEvent>) =>
  Payment.lastDeclineCode(fold(Payment.decider, history))

describe('what the provider says', () => {
  test('is recorded, and what is new in it is said', () => {
    expect(payment(requested).when(record(held))).toEqual(
      accept(recorded(held), event({ _tag: 'PaymentAuthorized', orderId: 'o-1', amount: usd(100) })),
    )
    expect(payment(requested).when(record(failed))).toEqual(
      accept(
        recorded(failed),
        event({ _tag: 'PaymentFailed', orderId: 'o-1', declineCode: 'insufficient_funds' }),
      ),
    )
    const nextAction = { redirectUrl: 'https://bank.example/3ds' }
    const action = { status: 'requires_action', nextAction }
    expect(payment(requested).when(record(action))).toEqual(
      accept(recorded(action), event({ _tag: 'PaymentActionRequired', orderId: 'o-1', nextAction })),
    )
  })
  test('why it was declined is known after it was canceled for that, and forgotten once it is authorized', () => {
    const canceled = recorded({ status: 'canceled', createdAtMs: 9000 })
    expect(declineCodeAfter(requested)).toBeUndefined()
    expect(declineCodeAfter(requested, recorded(failed))).toBe('insufficient_funds')
    expect(declineCodeAfter(requested, recorded(failed), canceled)).toBe('insufficient_funds')
    expect(declineCodeAfter(requested, recorded(failed), recorded(held))).toBeUndefined()
    expect(declineCodeAfter(requested, recorded(failed), recorded(paid))).toBeUndefined()
  })
  test('charged at once is authorized and captured', () => {
    expect(payment(requested).when(record(paid))).toEqual(
      accept(
        recorded(paid),
        event({ _tag: 'PaymentAuthorized', orderId: 'o-1', amount: usd(100) }),
        event({ _tag: 'PaymentCaptured', orderId: 'o-1', amount: usd(100) }),
      ),
    )
  })
  test('an authorization that nobody captured in time has expired', () => {
    const lapsed = { status: 'canceled', cancellationCode: 'automatic', createdAtMs: 2000 }
    expect(payment(requested, recorded(held)).when(record(lapsed))).toEqual(
      accept(recorded(lapsed), event({ _tag: 'AuthorizationExpired', orderId: 'o-1' })),
    )
    const canceled = { ...lapsed, cancellationCode: 'requested_by_customer' }
    expect(payment(requested, recorded(held)).when(record(canceled))).toEqual(
      accept(
        recorded(canceled),
        event({
          _tag: 'PaymentCanceled',
          orderId: 'o-1',
          cancellationCode: 'requested_by_customer',
        }),
      ),
    )
  })
  test('refunds made elsewhere are heard too', () => {
    const elsewhere = { refunds: [{ refundId: 're_9', amount: 40, status: 'succeeded' }] }
    const told = payment(requested, recorded(paid))
    expect(told.when(record(elsewhere))).toEqual(
      accept(
        recorded(elsewhere),
        event({ _tag: 'RefundSucceeded', orderId: 'o-1', refundId: 're_9', amount: usd(40) }),
      ),
    )
    expect(payment(requested, recorded(paid), recorded(elsewhere)).when(refund(61))).toEqual(
      reject({ _tag: 'InsufficientCapture', requested: usd(61), available: usd(60) }),
    )
  })
  test('a dispute is followed to its end, and freezes refunds while it is open', () => {
    const about = { orderId: 'o-1', disputeId: 'dp_1', amount: usd(100) }
    expect(payment(requested, recorded(paid)).when(record(dispute({})))).toEqual(
      accept(
        recorded(dispute({})),
        event({ _tag: 'DisputeOpened', ...about }),
        event({ _tag: 'DisputeFundsWithdrawn', ...about }),
      ),
    )
    const open = payment(requested, recorded(paid), recorded(dispute({})))
    expect(open.when(refund(1))).toEqual(reject({ _tag: 'PaymentDisputed', disputeId: 'dp_1' }))
    const won = dispute({ status: 'won', reinstated: 100 })
    expect(open.when(record(won))).toEqual(
      accept(
        recorded(won),
        event({ _tag: 'DisputeFundsReinstated', ...about }),
        event({ _tag: 'DisputeClosed', ...about, outcome: 'won' }),
      ),
    )
  })
  test('about another payment, or none that we asked for, is refused', () => {
    expect(payment(requested, recorded(held)).when(record({ providerPaymentId: 'pi_2' }))).toEqual(
      reject({ _tag: 'ProviderPaymentDiffers', expected: 'pi_1', actual: 'pi_2' }),
    )
    expect(payment(requested).when(record({ currency: 'EUR' }))).toEqual(
      reject({ _tag: 'CurrencyDiffers', expected: 'USD', actual: 'EUR' }),
    )
    expect(payment().when(record(held))).toEqual(reject({ _tag: 'UnknownPayment' }))
  })
})

const captureRequested = (amount: number, final: boolean, number = 1) =>
  event({
    _tag: 'CaptureRequested',
    orderId: 'o-1',
    providerPaymentId: 'pi_1',
    number,
    amount: usd(amount),
    final,
  })

describe('capturing', () => {
  const authorized = payment(requested, recorded(held))
  test('no more than is authorized, also in parts', () => {
    expect(authorized.when(capture(100))).toEqual(accept(captureRequested(100, true)))
    expect(payment(requested, recorded(held), captureRequested(60, false)).when(capture(41, false))).toEqual(
      reject({ _tag: 'InsufficientAuthorization', requested: usd(41), available: usd(40) }),
    )
  })
  test('nothing after the final one, and nothing while nothing is authorized', () => {
    expect(payment(requested, recorded(held), captureRequested(60, true)).when(capture(10))).toEqual(
      reject({ _tag: 'CaptureClosed' }),
    )
    expect(payment(requested).when(capture(10))).toEqual(reject({ _tag: 'NotAuthorized' }))
  })
  test('and canceling exclude one another', () => {
    expect(payment(requested, recorded(held), captureRequested(60, true)).when(cancel)).toEqual(
      reject({ _tag: 'CaptureUnderWay', asked: usd(60) }),
    )
    const canceled = event({ _tag: 'CancelRequested', orderId: 'o-1', reason: 'changed my mind' })
    expect(payment(requested, recorded(held), canceled).when(capture(10))).toEqual(
      reject({ _tag: 'CancelUnderWay' }),
    )
    expect(payment(requested, recorded(paid)).when(cancel)).toEqual(
      reject({ _tag: 'AlreadyCaptured', captured: usd(100) }),
    )
  })
  test('of unknown outcome may be asked again once the provider says that it did not happen', () => {
    const unknown = event({ _tag: 'PaymentOutcomeUnknown', orderId: 'o-1', operation: 'capture' })
    const resolved = event({ _tag: 'PaymentOutcomeResolved', orderId: 'o-1', found: true })
    const history = [requested, recorded(held), captureRequested(100, true), unknown]
    expect(payment(...history).when(command({ _tag: 'ResolveUnknown', statement: statement(held) }))).toEqual(
      accept(resolved),
    )
    expect(payment(...history, resolved).when(capture(100))).toEqual(accept(captureRequested(100, true, 2)))
    expect(payment(...history, recorded(paid), resolved).when(capture(100))).toEqual(
      reject({ _tag: 'CaptureClosed' }),
    )
  })
})

describe('a capture', () => {
  const history = [requested, recorded(held), captureRequested(30, false), captureRequested(30, false, 2)]
  const open = (...events: ReadonlyArray<Payment.PaymentEvent>) =>
    fold(Payment.decider, [...history, ...events]).capturesOpen.map(({ number, upTo }) => [number, upTo])
  test('is open until the provider has captured that much, or canceled the payment', () => {
    expect(open()).toEqual([
      [1, 30],
      [2, 60],
    ])
    expect(open(recorded({ captured: 30 }))).toEqual([[2, 60]])
    expect(open(recorded({ captured: 60 }))).toEqual([])
    expect(open(recorded({ status: 'canceled' }))).toEqual([])
  })
  test('that the provider refuses is said, and may be asked for again under another number', () => {
    const code = 'amount_too_large'
    const refusal = event({ _tag: 'OperationRefused', orderId: 'o-1', operation: 'capture', code })
    const refused = command({ _tag: 'RecordRefused', operation: 'capture', code })
    expect(payment(...history).when(refused)).toEqual(accept(refusal))
    expect(payment(...history, refusal).when(refused)).toEqual(accept())
    expect(open(refusal)).toEqual([])
    expect(payment(...history, refusal).when(capture(100))).toEqual(accept(captureRequested(100, true, 3)))
  })
  test('may follow a cancellation that the provider refuses', () => {
    const code = 'payment_intent_unexpected_state'
    const canceled = event({ _tag: 'CancelRequested', orderId: 'o-1', reason: 'changed my mind' })
    const refusal = event({ _tag: 'OperationRefused', orderId: 'o-1', operation: 'cancel', code })
    const refused = command({ _tag: 'RecordRefused', operation: 'cancel', code })
    expect(payment(requested, recorded(held), canceled).when(refused)).toEqual(accept(refusal))
    expect(payment(requested, recorded(held), canceled, refusal).when(capture(100))).toEqual(
      accept(captureRequested(100, true)),
    )
  })
})

describe('refunding', () => {
  const refundRequested = event({
    _tag: 'RefundRequested',
    orderId: 'o-1',
    providerPaymentId: 'pi_1',
    refundId: 'r-1',
    amount: usd(60),
    reason: 'returned',
  })
  test('is asked once per refund', () => {
    expect(payment(requested, recorded(paid)).when(refund(60))).toEqual(accept(refundRequested))
    expect(payment(requested, recorded(paid), refundRequested).when(refund(60))).toEqual(accept())
    expect(payment(requested, recorded(paid), refundRequested).when(refund(61))).toEqual(
      reject({ _tag: 'RefundDiffers', refundId: 'r-1', amount: usd(60) }),
    )
  })
  test('what was asked before counts, until it fails', () => {
    expect(payment(requested, recorded(paid), refundRequested).when(refund(41, 'r-2'))).toEqual(
      reject({ _tag: 'InsufficientCapture', requested: usd(41), available: usd(40) }),
    )
    const gone = recorded({ refunds: [{ refundId: 'r-1', amount: 60, status: 'failed' }] })
    expect(
      E.isRight(payment(requested, recorded(paid), refundRequested, gone).when(refund(100, 'r-2'))),
    ).toBe(true)
  })
})

describe('the wire', () => {
  const about = { orderId: 'o-1', amount: { amount: 100, currency: 'USD' } }
  test.each([
    {
      _tag: 'PaymentRequested',
      ...about,
      paymentMethod: 'pm_card_visa',
      captureMethod: 'manual',
      attempt: 1,
    },
    { _tag: 'CaptureRequested', ...about, providerPaymentId: 'pi_1', number: 1, final: true },
    { _tag: 'CancelRequested', orderId: 'o-1', reason: 'changed my mind' },
    { _tag: 'RefundRequested', ...about, refundId: 'o-1:1', reason: 'returned' },
    {
      _tag: 'ProviderStatementRecorded',
      orderId: 'o-1',
      statement: {
        providerPaymentId: 'pi_1',
        providerEventId: 'evt_1',
        currency: 'USD',
        createdAtMs: 1_764_000_000_000,
        sequence: 3,
        status: 'requires_capture',
        attemptId: 'ch_1',
        captureBeforeMs: 1_764_600_000_000,
        authorized: 100,
        captured: 0,
        refunded: 0,
        refunds: [
          { refundId: 'r-1', providerRefundId: 're_1', amount: 5, status: 'failed', failureCode: 'x' },
        ],
        disputes: [{ disputeId: 'dp_1', amount: 5, status: 'won', withdrawn: 5, reinstated: 5 }],
      },
    },
    {
      _tag: 'PaymentActionRequired',
      orderId: 'o-1',
      nextAction: { redirectUrl: 'https://bank.example/3ds' },
    },
    { _tag: 'PaymentProcessing', orderId: 'o-1' },
    { _tag: 'PaymentFailed', orderId: 'o-1', declineCode: 'expired_card' },
    { _tag: 'PaymentAuthorized', ...about, captureBeforeMs: 1_764_600_000_000 },
    { _tag: 'PaymentCaptured', ...about },
    { _tag: 'PaymentCanceled', orderId: 'o-1', cancellationCode: 'abandoned' },
    { _tag: 'AuthorizationExpired', orderId: 'o-1' },
    { _tag: 'RefundSucceeded', ...about, refundId: 'r-1' },
    { _tag: 'RefundFailed', ...about, refundId: 'r-1', failureCode: 'expired_or_canceled_card' },
    { _tag: 'DisputeOpened', ...about, disputeId: 'dp_1' },
    { _tag: 'DisputeFundsWithdrawn', ...about, disputeId: 'dp_1' },
    { _tag: 'DisputeFundsReinstated', ...about, disputeId: 'dp_1' },
    { _tag: 'DisputeClosed', ...about, disputeId: 'dp_1', outcome: 'lost' },
    { _tag: 'OperationRefused', orderId: 'o-1', operation: 'payment', code: 'amount_too_small' },
    { _tag: 'PaymentOutcomeUnknown', orderId: 'o-1', operation: 'capture' },
    { _tag: 'PaymentOutcomeResolved', orderId: 'o-1', found: false },
  ])('$_tag, as once stored, still decodes', (stored) => {
    expect(decodeEvent(Payment.aggregate, stored)).toEqual(E.right(stored))
  })
})
