import {
  bind,
  callMessage,
  E,
  execute,
  type Fault,
  type GatewayBinding,
  type Message,
  outbox,
  type Service,
  unavailable,
} from '@everfold/core'
import { plainStore } from '@everfold/core/testing'
import { describe, expect, test } from 'vitest'
import { callConsumer } from '../../src/consumers/calls.ts'
import type { DeadLetter } from '../../src/dead-letters.ts'
import { instantClock } from '../instant-clock.ts'
import { aggregate, bank, command, dispatch, type TallyCommand, TIME_MS, tally } from '../tally.ts'
import { sqsEvent } from './sqs-event.ts'

const service: Service = {
  name: 'tallies',
  aggregates: [aggregate],
  projections: [],
  processes: [],
  gateways: [bank],
  routes: [],
}

type Answer = (note: string, key: string) => E.Either<Fault, TallyCommand | undefined>

/** A log on which these payouts were asked, the messages of the calls that they ask for, and their consumer. */
const counter = async (payouts: ReadonlyArray<readonly [id: string, note: string]>, answer: Answer) => {
  const store = plainStore()
  const ports = { store, clock: instantClock(TIME_MS) }
  const run = execute(aggregate, ports)
  for (const [id, note] of payouts) {
    const { stream, envelope } = dispatch(id, command('AskPayout', note))
    await run(stream, [envelope as never])()
  }
  const messages = store.commits().flatMap((commit): ReadonlyArray<Message> => {
    const deliveries = outbox(service)(commit)
    if (E.isLeft(deliveries)) throw new Error('an outbox that cannot be read')
    return deliveries.right.flatMap((one) => (one._tag === 'Call' ? [callMessage(one)] : []))
  })
  const calls: Array<string> = []
  const binding: GatewayBinding = bind(bank, ({ recorded: { event }, key }) => async () => {
    calls.push(event.note)
    return answer(event.note, key)
  })
  const dead: Array<DeadLetter> = []
  const consume = callConsumer({
    gateways: [binding],
    ports,
    deadLetters: {
      send: (letter) => async () => {
        dead.push(letter)
        return E.right(undefined)
      },
    },
  })
  const events = () =>
    store
      .commits()
      .flatMap(({ answers }) => answers.flatMap((one) => one.events))
      .map(({ _tag, note }) => `${_tag} ${String(note)}`)
  const take = async (sent: ReadonlyArray<Message>) =>
    (await consume(sqsEvent(sent))).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
  return { take, messages, calls, dead, events, store }
}

const paid: Answer = (note) => E.right(command('RecordPayout', note))

describe('the gateways’ consumer', () => {
  test('calls once for each event and brings each result home', async () => {
    const { take, messages, calls, events } = await counter(
      [
        ['a', '1'],
        ['b', '2'],
      ],
      paid,
    )
    expect(await take(messages)).toEqual([])
    expect(calls).toEqual(['1', '2'])
    expect(events()).toEqual(['PayoutAsked 1', 'PayoutAsked 2', 'Paid 1', 'Paid 2'])
  })

  test('repeats a call with its key, and records its result once', async () => {
    const keys = new Set<string>()
    const { take, messages, calls, events } = await counter([['a', '1']], (note, key) => {
      keys.add(key)
      return paid(note, key)
    })
    for (let delivery = 0; delivery < 3; delivery += 1) expect(await take(messages)).toEqual([])
    expect(calls).toHaveLength(3)
    expect(keys.size).toBe(1)
    expect(events()).toEqual(['PayoutAsked 1', 'Paid 1'])
  })

  test('makes the calls about one stream in its order: behind a fault all wait, other streams do not', async () => {
    const payouts = [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
      ['b', '4'],
    ] as const
    let broken = true
    const { take, messages, calls } = await counter(payouts, (note, key) =>
      note === '1' && broken ? E.left(unavailable('the bank')) : paid(note, key),
    )
    expect(await take(messages)).toEqual(['m-0', 'm-2'])
    expect(calls.toSorted()).toEqual(['1', '2', '4'])
    broken = false
    expect(await take(messages.filter(({ group }) => group === tally('a')))).toEqual([])
    expect(calls.slice(-2)).toEqual(['1', '3'])
  })

  test('records nothing for a call without a result, and comes again where an implementation throws', async () => {
    const { take, messages, events } = await counter(
      [
        ['a', '1'],
        ['b', 'crash'],
      ],
      (note) => {
        if (note === 'crash') throw new Error('the bank is gone')
        return E.right(undefined)
      },
    )
    expect(await take(messages)).toEqual(['m-1'])
    expect(events()).toEqual(['PayoutAsked 1', 'PayoutAsked crash'])
  })

  test('buries what is no call, a gateway that is not bound, and a result that will never be taken', async () => {
    const { take, messages, dead } = await counter([['a', '1']], (note) =>
      E.right(command('Count', note.replace('1', 'bomb'))),
    )
    const [call] = messages
    const strays = [
      { id: 's-1', group: 's', body: 'no call' },
      { id: 's-2', group: 's', body: { ...(call?.body as object), gateway: 'mint' } },
      ...messages,
    ]
    expect(await take(strays as ReadonlyArray<Message>)).toEqual([])
    expect(
      dead.map(({ id, reason }) => [
        id,
        (reason as { errors?: ReadonlyArray<{ pointer: string }> }).errors?.[0]?.pointer,
      ]),
    ).toEqual([
      ['m-0', ''],
      ['m-1', '/gateway'],
      ['m-2', undefined],
    ])
  })

  test('asks again for an event that is not in the log', async () => {
    const { take, messages } = await counter([['a', '1']], paid)
    const [call] = messages
    const early = { ...call, body: { ...(call?.body as object), commit: 9 } } as Message
    expect(await take([early])).toEqual(['m-0'])
  })
})
