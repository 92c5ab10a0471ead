import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { InvocationOutcome } from '../../src/simulation/models/event-source-mapping/index.ts'
import {
  type QueueInvocation,
  type QueueMappingState,
  type QueueMappingStep,
  queueMapping,
  sqsMessages,
} from '../../src/simulation/models/queue-mapping.ts'
import { frozenDeep } from './frozen-deep.ts'

interface Message {
  readonly id: string
  readonly receipt: string
  readonly group: string | undefined
  readonly meant: boolean
}

const reading = {
  id: ({ id }: Message) => id,
  receipt: ({ receipt }: Message) => receipt,
  group: ({ group }: Message) => group,
  filter: ({ meant }: Message) => meant,
}

/** A queue as plain as can be: what is hidden comes again after a minute, or at once when it is released. */
interface PlainQueue {
  readonly messages: Map<string, { readonly id: string; receives: number; visibleMs: number }>
}

const anyMessages = fc.array(
  fc.record({ group: fc.constantFrom('a', 'b'), meant: fc.constantFrom(true, true, false) }),
  { minLength: 1, maxLength: 14, size: 'max' },
)
const anySettings = fc.record({
  batchSize: fc.integer({ min: 1, max: 5 }),
  maximumBatchingWindowMs: fc.constantFrom(0, 500),
  maximumConcurrency: fc.integer({ min: 1, max: 3 }),
  reportBatchItemFailures: fc.boolean(),
})
const anyChance = fc.array(fc.nat(1_000_000), { maxLength: 60, size: 'max' })

/** Drives a mapping and a queue through chance, then without deviations until nothing is left. */
const driven = (
  settings: {
    readonly batchSize: number
    readonly maximumBatchingWindowMs: number
    readonly maximumConcurrency: number
    readonly reportBatchItemFailures: boolean
  },
  fifo: boolean,
  drafts: ReadonlyArray<{ readonly group: string; readonly meant: boolean }>,
  chance: ReadonlyArray<number>,
) => {
  const mapping = queueMapping<Message>({ ...settings, ...reading })
  const dice = [...chance]
  const roll = (sides: number): number => (dice.shift() ?? 0) % sides
  const queue: PlainQueue = {
    messages: new Map(drafts.map((_, at) => [`m${at}`, { id: `m${at}`, receives: 0, visibleMs: 0 }])),
  }
  const done = new Set<string>()
  const deletedUndone: Array<string> = []
  const invocations: Array<QueueInvocation<Message>> = []
  let together = 0
  let most = 0
  let expired = false
  let state: QueueMappingState<Message> = mapping.initial
  const underWay: Array<QueueInvocation<Message>> = []
  let nowMs = 0
  const ofReceipt = (receipt: string) => queue.messages.get(receipt.split('/')[0] ?? '')
  const took = (step: QueueMappingStep<Message>) => {
    state = frozenDeep(step.state)
    most = Math.max(most, state.running.length)
    for (const receipt of step.deletes) {
      const kept = ofReceipt(receipt)
      if (kept === undefined) continue
      const { meant } = drafts[Number(kept.id.slice(1))] ?? { meant: true }
      if (meant && !done.has(kept.id)) deletedUndone.push(kept.id)
      queue.messages.delete(kept.id)
    }
    for (const receipt of step.releases) {
      const kept = ofReceipt(receipt)
      if (kept !== undefined) kept.visibleMs = nowMs
      expired = true
    }
    underWay.push(...step.invocations)
    invocations.push(...step.invocations)
    const groups = underWay.flatMap(({ messages }) => [...new Set(messages.map(({ group }) => group))])
    if (!expired) together = Math.max(together, groups.length - new Set(groups).size)
    return step.wakeMs
  }
  const receive = (): boolean => {
    const hidden = new Set(
      [...queue.messages.values()]
        .filter(({ visibleMs }) => visibleMs > nowMs)
        .map(({ id }) => drafts[Number(id.slice(1))]?.group),
    )
    const visible = [...queue.messages.values()].filter(
      ({ id, visibleMs }) => visibleMs <= nowMs && !(fifo && hidden.has(drafts[Number(id.slice(1))]?.group)),
    )
    const batch = visible.slice(0, mapping.wanted(state)).map((kept): Message => {
      kept.receives += 1
      kept.visibleMs = nowMs + 60_000
      const { group, meant } = drafts[Number(kept.id.slice(1))] ?? { group: '', meant: true }
      return { id: kept.id, receipt: `${kept.id}/${kept.receives}`, group: fifo ? group : undefined, meant }
    })
    took(mapping.received(state, batch, nowMs))
    return batch.length > 0
  }
  for (let turn = 0; turn < 1000; turn += 1) {
    while (receive());
    const offers = ['', ...mapping.offers(state, nowMs)]
    const deviation = offers[roll(offers.length)] ?? ''
    const wakeMs = took(mapping.next(state, deviation === '' ? { nowMs } : { nowMs, deviation }))
    const [invocation] = underWay.splice(roll(Math.max(1, underWay.length)), 1)
    if (invocation !== undefined) {
      nowMs += roll(3) * 500
      const outcome = outcomeOf(invocation, roll(5))
      if (outcome._tag === 'Returned') {
        const { batchItemFailures } = outcome.value as {
          batchItemFailures: ReadonlyArray<{ itemIdentifier: string }>
        }
        const failed = new Set(
          settings.reportBatchItemFailures
            ? batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
            : [],
        )
        for (const { id } of invocation.messages) if (!failed.has(id)) done.add(id)
      }
      const choices = ['', ...mapping.answerOffers(outcome)]
      const lost = choices[roll(choices.length)] ?? ''
      const answer = { invocation: invocation.id, outcome }
      took(mapping.answered(state, answer, lost === '' ? { nowMs } : { nowMs, deviation: lost }))
      continue
    }
    if (queue.messages.size === 0 && state.waiting.length === 0)
      return { done, deletedUndone, invocations, together, most }
    const visible = [...queue.messages.values()].map(({ visibleMs }) => visibleMs).filter((at) => at > nowMs)
    nowMs = Math.min(wakeMs ?? Number.POSITIVE_INFINITY, ...visible)
    if (!Number.isFinite(nowMs)) throw new Error('nothing will happen any more, and messages are left')
  }
  throw new Error('the mapping does not come to rest')
}

const outcomeOf = ({ messages }: QueueInvocation<Message>, rolled: number): InvocationOutcome => {
  if (rolled === 1) return { _tag: 'Failed' }
  if (rolled === 2) return { _tag: 'Throttled' }
  const failed = rolled === 3 ? messages.slice(Math.floor(messages.length / 2)) : []
  const batchItemFailures = failed.map(({ id }) => ({ itemIdentifier: id }))
  return { _tag: 'Returned', value: { batchItemFailures } }
}

describe('whatever AWS and the function do', () => {
  property.prop([anySettings, fc.boolean(), anyMessages, anyChance])(
    'no message is lost: each that is meant is done in the end, and none is deleted before',
    (settings, fifo, drafts, chance) => {
      const { done, deletedUndone } = driven(settings, fifo, drafts, chance)
      expect(deletedUndone).toEqual([])
      expect(done).toEqual(new Set(drafts.flatMap(({ meant }, at) => (meant ? [`m${at}`] : []))))
    },
  )

  property.prop([anySettings, anyMessages, anyChance])(
    'of a FIFO queue no two batches of a group are worked on at once while its messages are hidden',
    (settings, drafts, chance) => {
      expect(driven(settings, true, drafts, chance).together).toBe(0)
    },
  )

  property.prop([anySettings, fc.boolean(), anyMessages, anyChance])(
    'no more batches run at once, and none is larger, than is set; what is not meant is never handed out',
    (settings, fifo, drafts, chance) => {
      const { invocations, most } = driven(settings, fifo, drafts, chance)
      expect(most).toBeLessThanOrEqual(settings.maximumConcurrency)
      for (const { messages } of invocations) {
        expect(messages.length).toBeGreaterThan(0)
        expect(messages.length).toBeLessThanOrEqual(settings.batchSize)
        expect(messages.every(({ meant }) => meant)).toBe(true)
      }
    },
  )

  property.prop([anySettings, fc.boolean(), anyMessages, anyChance])(
    'the same chance makes the same history',
    (settings, fifo, drafts, chance) => {
      expect(driven(settings, fifo, drafts, chance)).toEqual(driven(settings, fifo, drafts, chance))
    },
  )
})

const message = (id: string, group?: string): Message => ({ id, receipt: `${id}/1`, group, meant: true })
const returned = (...failed: ReadonlyArray<string>): InvocationOutcome => ({
  _tag: 'Returned',
  value: { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) },
})

describe('a batch of three', () => {
  const mapping = queueMapping<Message>({ ...reading, reportBatchItemFailures: true })
  const three = mapping.received(
    mapping.initial,
    [message('1', 'a'), message('2', 'a'), message('3', 'b')],
    0,
  ).state
  const { state } = mapping.next(three, { nowMs: 0 })
  const invocation = 'batch 1'

  test('is deleted but for the message that is reported, whatever is behind it in its group', () => {
    const step = mapping.answered(state, { invocation, outcome: returned('1') }, { nowMs: 1 })
    expect(step).toMatchObject({ deletes: ['2/1', '3/1'], left: ['1/1'] })
  })
  test('is left whole for the visibility timeout after a function error, and where a stranger is reported', () => {
    for (const outcome of [{ _tag: 'Failed' } as const, returned('1', '9')])
      expect(mapping.answered(state, { invocation, outcome }, { nowMs: 1 })).toMatchObject({
        deletes: [],
        left: ['1/1', '2/1', '3/1'],
      })
  })
  test('is done where its visibility expired, and goes to somebody else meanwhile', () => {
    const step = mapping.next(state, { nowMs: 1, deviation: 'visibility expired' })
    expect(step.releases).toEqual(['1/1', '2/1', '3/1'])
    const again = mapping.received(step.state, [{ ...message('1', 'a'), receipt: '1/2' }], 1)
    expect(mapping.next(again.state, { nowMs: 1 }).invocations).toHaveLength(1)
  })
})

test('waits for a full batch no longer than the window', () => {
  const mapping = queueMapping<Message>({ ...reading, maximumBatchingWindowMs: 500, batchSize: 2 })
  const one = mapping.received(mapping.initial, [message('1')], 100).state
  expect(mapping.next(one, { nowMs: 100 })).toMatchObject({ invocations: [], wakeMs: 600 })
  expect(mapping.next(one, { nowMs: 600 }).invocations).toHaveLength(1)
  const two = mapping.received(one, [message('2')], 200).state
  expect(mapping.next(two, { nowMs: 200 }).invocations).toHaveLength(1)
})

test('the messages of SQS are read by their names there', () => {
  const received = { messageId: 'm', receiptHandle: 'r', attributes: { MessageGroupId: 'g' } }
  expect(sqsMessages.id(received)).toBe('m')
  expect(sqsMessages.receipt(received)).toBe('r')
  expect(sqsMessages.group(received)).toBe('g')
})
