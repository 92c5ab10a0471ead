import { accept, E, fold, reject } from '@everfold/core'
import { given, laws, valid } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { Notification, Quantities } from '../src/index.ts'

const command = valid(Notification.NotificationCommand)
const event = valid(Notification.NotificationEvent)
const notification = given(Notification.decider)

const mail = {
  orderId: 'o-1',
  template: 'order-confirmed',
  cause: 'order/o-1@2.0',
  to: { _tag: 'Sealed', subject: 'ann', box: 'c2VhbGVk' },
  data: [{ name: 'total', value: '12.50 USD' }],
}
const request = command({ _tag: 'RequestEmail', ...mail })
const sent = (providerMessageId: string) => command({ _tag: 'RecordSent', providerMessageId })
const unknown = command({ _tag: 'RecordOutcomeUnknown' })
const bounce = (providerMessageId: string) =>
  command({ _tag: 'RecordBounce', providerMessageId, reason: 'mailbox full' })
const suppress = command({ _tag: 'SuppressEmail', orderId: 'o-1', reason: 'came back' })

const requested = event({ _tag: 'EmailRequested', ...mail })
const wasSent = (providerMessageId: string) => event({ _tag: 'EmailSent', orderId: 'o-1', providerMessageId })
const doubtful = event({ _tag: 'EmailOutcomeUnknown', orderId: 'o-1' })

const anyMessage = fc.constantFrom('m-1', 'm-2', 'm-3')
const anyCommand = fc.oneof(
  fc.constantFrom(request, unknown, suppress),
  anyMessage.map(sent),
  anyMessage.map(bounce),
)

describe('laws', () => {
  test.each(laws(Notification.aggregate, { command: anyCommand }))('$title', async ({ check }) => {
    await expect(check(50)).resolves.toBeUndefined()
  })
})

describe('a mail, whatever is asked', () => {
  property.prop([fc.array(anyCommand, { maxLength: 20 })], { numRuns: 500 })(
    'N1 one EmailSent per (order, template, cause); after an unknown outcome at most two, and recorded',
    (commands) => {
      let state = Notification.initial
      const events: Array<Notification.NotificationEvent> = []
      for (const asked of commands) {
        const decision = Notification.decide(asked, state)
        if (E.isLeft(decision)) continue
        events.push(...decision.right)
        state = fold(Notification.decider, decision.right, state)
      }
      const count = (tag: string) => events.filter(({ _tag }) => _tag === tag).length
      expect(count('EmailRequested')).toBeLessThanOrEqual(1)
      expect(count('EmailOutcomeUnknown')).toBeLessThanOrEqual(1)
      expect(count('EmailSent')).toBeLessThanOrEqual(1 + count('EmailOutcomeUnknown'))
    },
  )
})

describe('a mail', () => {
  test('is asked for once', () => {
    expect(notification().when(request)).toEqual(accept(requested))
    expect(notification(requested).when(request)).toEqual(accept())
  })
  test('is sent once', () => {
    expect(notification(requested).when(sent('m-1'))).toEqual(accept(wasSent('m-1')))
    expect(notification(requested, wasSent('m-1')).when(sent('m-1'))).toEqual(accept())
    expect(notification(requested, wasSent('m-1')).when(sent('m-2'))).toEqual(
      reject({ _tag: 'AlreadySent', providerMessageId: 'm-1' }),
    )
  })
  test('of unknown outcome is tried once more and no oftener', () => {
    expect(notification(requested).when(unknown)).toEqual(accept(doubtful))
    expect(notification(requested, doubtful).when(unknown)).toEqual(accept())
    expect(notification(requested, doubtful, wasSent('m-1')).when(sent('m-2'))).toEqual(
      accept(wasSent('m-2')),
    )
    expect(notification(requested, doubtful, wasSent('m-1'), wasSent('m-2')).when(sent('m-3'))).toEqual(
      reject({ _tag: 'AlreadySent', providerMessageId: 'm-2' }),
    )
  })
  test('that bounced says so once', () => {
    const bounced = event({
      _tag: 'EmailBounced',
      orderId: 'o-1',
      providerMessageId: 'm-1',
      reason: 'mailbox full',
    })
    expect(notification(requested, wasSent('m-1')).when(bounce('m-1'))).toEqual(accept(bounced))
    expect(notification(requested, wasSent('m-1'), bounced).when(bounce('m-1'))).toEqual(accept())
    expect(notification(requested).when(bounce('m-1'))).toEqual(
      reject({ _tag: 'UnknownMessage', providerMessageId: 'm-1' }),
    )
  })
  test('suppressed before it was asked for is never asked for', () => {
    const suppressed = event({ _tag: 'EmailSuppressed', orderId: 'o-1', reason: 'came back' })
    expect(notification().when(suppress)).toEqual(accept(suppressed))
    expect(notification(suppressed).when(request)).toEqual(accept())
    expect(notification(requested, wasSent('m-1')).when(suppress)).toEqual(
      reject({ _tag: 'AlreadySent', providerMessageId: 'm-1' }),
    )
  })
  test('that nobody asked for has no outcome', () => {
    expect(notification().when(sent('m-1'))).toEqual(reject({ _tag: 'UnknownEmail' }))
  })
  test('is named by what it is for', () => {
    expect(
      Notification.streamId({
        orderId: valid(Quantities.OrderId)('o-1'),
        template: valid(Notification.Template)('order-confirmed'),
        cause: valid(Notification.Cause)('order/o-1@2.0'),
      }),
    ).toBe('o-1@order-confirmed@order/o-1@2.0')
  })
})

describe('the wire', () => {
  test.each([
    {
      _tag: 'EmailRequested',
      orderId: 'o-1',
      template: 'order-confirmed',
      cause: 'order/o-1@2.0',
      to: { _tag: 'Sealed', subject: 'ann', box: 'c2VhbGVk' },
      data: [{ name: 'total', value: '12.50 USD' }],
    },
    { _tag: 'EmailSent', orderId: 'o-1', providerMessageId: 'm-1' },
    { _tag: 'EmailOutcomeUnknown', orderId: 'o-1' },
    { _tag: 'EmailBounced', orderId: 'o-1', providerMessageId: 'm-1', reason: 'mailbox full' },
    { _tag: 'EmailSuppressed', orderId: 'o-1', reason: 'came back' },
  ])('$_tag, as once stored, still decodes', (stored) => {
    expect(Notification.NotificationEvent.is(stored)).toBe(true)
  })
})
