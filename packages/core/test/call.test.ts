import {
  answerCall,
  bind,
  callMessage,
  callOf,
  type Delivery,
  E,
  envelope,
  execute,
  freshId,
  type GatewayCall,
  type GatewayRequest,
  gateway,
  type Json,
  outbox,
  type Service,
  streamName,
} from '@everfold/core'
import { plainPorts, valid } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type Seats, SeatsCommand, type SeatsEvent, aggregate as seats } from './seats.ts'

const printer = gateway({ name: 'printer', aggregate: seats, hears: ['SeatTaken'], keyHorizonMs: 1000 })
const service: Service = {
  name: 'show',
  aggregates: [seats],
  projections: [],
  processes: [],
  gateways: [printer],
  routes: [],
}
const stream = streamName('seats', 'hamlet')

const asked = valid(SeatsCommand)

/** The seats of a show of which these were taken, each by a command of its own. */
const show = async (...taken: ReadonlyArray<ReadonlyArray<number>>) => {
  const ports = plainPorts()
  const run = execute(seats, ports)
  const commands = [
    { _tag: 'AddSeats', seats: 10 },
    ...taken.map((one) => ({ _tag: 'TakeSeats', seats: one, guest: 'g' })),
  ]
  let id = 0
  for (const command of commands) {
    id += 1
    const arrival = { id: freshId(id, () => 0.5), timeMs: id }
    const done = await run(stream, [envelope(asked(command), arrival)])()
    if (E.isLeft(done)) throw new Error(JSON.stringify(done.left))
  }
  const deliveries = ports.store.commits().flatMap((commit) => {
    const set = outbox(service)(commit)
    return E.isRight(set) ? set.right : []
  })
  const calls = deliveries.filter((one): one is Extract<Delivery, { _tag: 'Call' }> => one._tag === 'Call')
  const answer = (body: Json, call: GatewayCall<SeatsCommand, Seats, SeatsEvent>) => {
    const what = callOf(body)
    if (E.isLeft(what)) throw new Error(JSON.stringify(what.left))
    return answerCall(bind(printer, call), {
      store: ports.store,
      clock: { nowMs: () => 5000 },
      execute: (_aggregate, to, command) => async () =>
        E.map((answers: ReadonlyArray<never>) => answers[0] as never)(
          (await run(to, [command as never])()) as E.Either<never, ReadonlyArray<never>>,
        ),
    })(what.right)()
  }
  return { ports, calls, answer }
}

const throwing = (): never => {
  throw new Error('no paper')
}

describe('a call', () => {
  property.prop([
    fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 4 }), {
      maxLength: 4,
    }),
  ])('is made with the very event that asked for it, which its message only names', async (taken) => {
    const { calls, answer } = await show(...taken)
    for (const { recorded, gateway: to } of calls) {
      const { body } = callMessage({ _tag: 'Call', recorded, gateway: to })
      const requests: Array<GatewayRequest<SeatsEvent, Seats>> = []
      const result = await answer(body, (request) => async () => {
        requests.push(request)
        return E.right(undefined)
      })
      expect(result).toEqual(E.right(undefined))
      expect(requests.map((request) => request.recorded)).toEqual([recorded])
      expect(requests[0]?.lookUpOnly).toBe(true)
    }
  })

  test('made twice has one key, and brings its result home once', async () => {
    const { ports, calls, answer } = await show([1])
    const [{ recorded } = { recorded: undefined }] = calls
    const [body] = calls.map((one) => callMessage(one).body)
    const keys = new Set<string>()
    const free: GatewayCall<SeatsCommand, Seats, SeatsEvent> =
      ({ key }) =>
      async () => {
        keys.add(key)
        return E.right(asked({ _tag: 'FreeSeats', guest: 'g' }))
      }
    const before = ports.store.commits().length
    const first = await answer(body ?? null, free)
    const again = await answer(body ?? null, free)
    expect(keys.size).toBe(1)
    expect(first).toMatchObject({ right: { right: { replayed: false } } })
    expect(again).toMatchObject({ right: { right: { replayed: true } } })
    expect(ports.store.commits()).toHaveLength(before + 1)
    expect(ports.store.commits().at(-1)?.answers[0]?.metadata.causationId).toBe(recorded?.id)
  })

  test('that throws is a fault, and one that names no event too', async () => {
    const { calls, answer } = await show([1])
    const [body] = calls.map((one) => callMessage(one).body as { readonly [field: string]: Json })
    expect(await answer(body ?? null, throwing)).toMatchObject({ left: { what: 'the gateway printer' } })
    for (const missing of [
      { ...body, commit: 99 },
      { ...body, index: 9 },
    ])
      expect(await answer(missing, throwing)).toMatchObject({ left: { _tag: 'MissingCommit', stream } })
  })

  test.each([
    [null, ''],
    [{ gateway: 'printer', stream: 'seats/hamlet', commit: 0, index: 0 }, '/commit'],
    [{ gateway: 'printer', stream: 'hamlet', commit: 1, index: 0 }, '/stream'],
    [{ gateway: 'printer', stream: 'seats/hamlet', commit: 1, index: 0, more: 1 }, '/more'],
  ])('%j is none: %s', (body, pointer) => {
    expect(callOf(body)).toMatchObject({ left: { errors: [{ pointer }] } })
  })
})
