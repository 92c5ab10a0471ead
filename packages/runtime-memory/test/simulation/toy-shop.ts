/**
 * A toy to be shrunk: orders are sent until they are answered, at most three times.
 *
 * Its bugs: an order of three units or more counts twice if it was answered late or not at all twice (`S3`), and any
 * does if the shop crashes after it was placed (`S1`).
 */
import { type CommandId, type Json, streamName } from '@everfold/core'
import type { Plan, Request, Run, Step } from '../../src/simulation/run.ts'

const START_MS = 1_767_225_600_000

export const order = (number: number, units: number, afterMs: number = number * 100): Request => ({
  client: `client ${(number % 2) + 1}`,
  id: `01KDVDNM00000000000000000${number % 10}` as CommandId,
  aggregate: 'order',
  stream: streamName('order', String(number)),
  command: { _tag: 'PlaceOrder', units, note: 'a gift' },
  afterMs,
})

export const isOrder = (_aggregate: string, command: Json): boolean => {
  if (typeof command !== 'object' || command === null || Array.isArray(command)) return false
  const { _tag, units, note = '' } = command as { readonly [name: string]: Json }
  return _tag === 'PlaceOrder' && Number.isInteger(units) && (units as number) > 0 && typeof note === 'string'
}

export const keyOf = ({ client, stream }: Request, attempt: number): string =>
  `${client}: shop.place ${stream} #${attempt}`

export const runShop = (plan: Plan, requests: ReadonlyArray<Request>): Promise<Run> => {
  const steps: Array<Step> = []
  const deviations = new Map<string, string>()
  let violation: Run['violation']
  for (const request of requests.toSorted((one, other) => one.afterMs - other.afterMs)) {
    const sent = send(plan, request, steps.length)
    steps.push(...sent)
    for (const { key, deviation } of sent) if (deviation !== undefined) deviations.set(key, deviation)
    const invariant = broken(request, sent)
    if (invariant !== undefined)
      violation ??= { invariant, message: `${request.stream} has two effects`, step: steps.length }
  }
  const operations = steps.length
  const run = { plan: { ...plan, deviations }, requests, steps, operations, hash: '', startMs: START_MS }
  return Promise.resolve(violation === undefined ? run : { ...run, violation })
}

const send = (plan: Plan, request: Request, before: number): ReadonlyArray<Step> => {
  const sent: Array<Step> = []
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const key = keyOf(request, attempt)
    const deviation = plan.deviations.get(key)
    const step: Step = {
      number: before + attempt,
      timeMs: START_MS + request.afterMs + attempt - 1,
      lane: request.client,
      to: 'shop',
      operation: 'place',
      subject: request.stream,
      key,
    }
    sent.push(deviation === undefined ? { ...step, answer: 'stored' } : { ...step, deviation })
    if (deviation === undefined) break
  }
  return sent
}

const broken = ({ command }: Request, sent: ReadonlyArray<Step>): string | undefined => {
  const deviations = sent.flatMap(({ deviation }) => deviation ?? [])
  if (deviations.includes('crash after')) return 'S1'
  const again = deviations.filter((deviation) => /lost|late/.test(deviation)).length >= 2
  return again && (command as { readonly units: number }).units >= 3 ? 'S3' : undefined
}

/** The toy as a simulation that can be replayed. */
export const shop = { replay: runShop }
