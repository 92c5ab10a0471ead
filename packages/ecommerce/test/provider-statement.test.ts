import { canonical } from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { ProviderStatement } from '../src/index.ts'
import { anyStatement } from './provider.ts'

const { join, nothing, refundedOf } = ProviderStatement
const statement = (said: object) =>
  valid(ProviderStatement.ProviderStatement)({
    providerPaymentId: 'pi_1',
    currency: 'USD',
    createdAtMs: 1000,
    ...said,
  })
const known = (...said: ReadonlyArray<object>) => said.map(statement).reduce(join, nothing)

describe('statements, whatever they say', () => {
  property.prop(
    [
      fc
        .array(anyStatement, { maxLength: 8 })
        .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
    ],
    { numRuns: 1000 },
  )('their order does not matter', ([all, shuffled]) => {
    expect(canonical(shuffled.reduce(join, nothing))).toBe(canonical(all.reduce(join, nothing)))
  })
  property.prop([fc.array(anyStatement, { minLength: 1, maxLength: 8 }), fc.nat()])(
    'saying one again changes nothing',
    (all, index) => {
      const once = all.reduce(join, nothing)
      expect(join(once, all[index % all.length] ?? statement({}))).toEqual(once)
    },
  )
  property.prop([fc.array(anyStatement, { maxLength: 8 })])('refunded <= captured <= authorized', (all) => {
    let before = nothing
    for (const one of all) {
      const after = join(before, one)
      expect(refundedOf(after)).toBeLessThanOrEqual(after.captured)
      expect(after.captured).toBeLessThanOrEqual(after.authorized)
      expect(after.captured).toBeGreaterThanOrEqual(before.captured)
      expect(after.authorized).toBeGreaterThanOrEqual(before.authorized)
      before = after
    }
  })
  property.prop([fc.array(anyStatement, { maxLength: 8 })])('what is known survives its codec', (all) => {
    const joined = all.reduce(join, nothing)
    expect(ProviderStatement.Known.is(JSON.parse(JSON.stringify(joined)))).toBe(true)
  })
})

describe('the status', () => {
  const failed = { status: 'requires_payment_method', declineCode: 'insufficient_funds' }
  test('an older statement never moves it back', () => {
    expect(
      known({ status: 'processing', createdAtMs: 3000 }, { status: 'requires_action' }).standing,
    ).toEqual({ status: 'processing', createdAtMs: 3000 })
  })
  test('a later attempt follows a refused one, and a refusal follows its own attempt', () => {
    const action = { status: 'requires_action', createdAtMs: 2000 }
    expect(known({ ...failed, createdAtMs: 1000 }, action).standing?.status).toBe('requires_action')
    expect(known({ ...failed, createdAtMs: 3000 }, action).standing?.status).toBe('requires_payment_method')
    expect(known({ ...failed, createdAtMs: 2000 }, action).standing?.status).toBe('requires_payment_method')
  })
  test('what is said of a later attempt stands, whenever the earlier one was dated', () => {
    const action = { status: 'requires_action', sequence: 2 }
    expect(known({ ...failed, sequence: 1, createdAtMs: 3000 }, action).standing?.status).toBe(
      'requires_action',
    )
  })
  test('nothing leads back from a later phase', () => {
    expect(
      known({ status: 'succeeded' }, { status: 'requires_capture', createdAtMs: 9000 }).standing?.status,
    ).toBe('succeeded')
  })
})

const refusedAt = (sequence: number, declineCode: string) => ({
  status: 'requires_payment_method',
  createdAtMs: 1000 * sequence,
  sequence,
  declineCode,
})

describe('the last refusal', () => {
  const canceled = { status: 'canceled', createdAtMs: 9000 }
  test('stays known when the payment is canceled, also where it is only heard after that', () => {
    const one = refusedAt(1, 'insufficient_funds')
    expect(known(one, canceled)).toMatchObject({ standing: canceled, declined: one })
    expect(known(canceled, one)).toEqual(known(one, canceled))
  })
  test('is that of the latest attempt, whatever was heard last', () => {
    const both = known(refusedAt(2, 'expired_card'), refusedAt(1, 'insufficient_funds'), canceled)
    expect(both.declined?.declineCode).toBe('expired_card')
  })
  property.prop([fc.array(anyStatement, { maxLength: 8 })])(
    'is known just where one was said, and stands no higher than the status',
    (all) => {
      const { standing, declined } = all.reduce(join, nothing)
      const refusals = all.filter(
        ({ status, declineCode: code }) => status !== undefined && code !== undefined,
      )
      expect(declined !== undefined).toBe(refusals.length > 0)
      if (declined !== undefined) expect(known({ ...standing }, declined).standing).toEqual(standing)
    },
  )
})

const refund = (status: string, amount = 30, refundId = 'r-1') => ({
  captured: 100,
  refunds: [{ refundId, providerRefundId: `re_${refundId}`, amount, status }],
})

describe('refunds', () => {
  test('only those that succeeded are given', () => {
    expect(refundedOf(known(refund('pending')))).toBe(0)
    expect(refundedOf(known(refund('succeeded')))).toBe(30)
  })
  test('one that failed after it had succeeded is not, whatever was added up before', () => {
    const summedUp = { captured: 100, refunded: 30 }
    expect(refundedOf(known(refund('succeeded'), summedUp, refund('failed')))).toBe(0)
    expect(refundedOf(known(refund('failed'), refund('succeeded', 30, 'r-2'), summedUp))).toBe(30)
  })
  test('one that the provider would not make explains nothing of its sum', () => {
    const refused = { refunds: [{ refundId: 'r-2', amount: 60, status: 'failed' }] }
    expect(refundedOf(known({ captured: 100, refunded: 100 }, refund('succeeded', 40), refused))).toBe(100)
  })
  test('a sum without its refunds counts', () => {
    expect(refundedOf(known({ captured: 100, refunded: 40 }, refund('succeeded')))).toBe(40)
  })
  test('who gave back had captured, and who captured was authorized', () => {
    expect(known({ refunded: 40 })).toMatchObject({ captured: 40, authorized: 40 })
  })
})

const dispute = (more: object) => ({
  disputes: [{ disputeId: 'dp_1', amount: 100, status: 'open', withdrawn: 0, reinstated: 0, ...more }],
})

describe('disputes', () => {
  test('join by id, the later state over the earlier one', () => {
    expect(
      known(dispute({ status: 'won', withdrawn: 100, reinstated: 100 }), dispute({ withdrawn: 100 }))
        .disputes,
    ).toEqual([{ disputeId: 'dp_1', amount: 100, status: 'won', withdrawn: 100, reinstated: 100 }])
  })
})
