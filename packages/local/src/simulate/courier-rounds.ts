/**
 * The courier at work for two tenants, and the doorbell that is around it: who sends what, what has to hold, and what the
 * doorbell's own book says.
 */
import { bind, type CommandId, E, type GatewayBinding, rebuild, unavailable } from '@everfold/core'
import {
  always,
  alwaysOverall,
  eventually,
  eventuallyOverall,
  type Invariant,
  type SimulationOptions,
  type SurroundingsPorts,
  sometimes,
  sometimesOverall,
  type Workload,
} from '@everfold/runtime-memory/simulation'
import { doorbell, generations, type ParcelCommand, parcel, ROOM, service, van } from './courier.ts'
import type { LambdaJob } from './on-lambda.ts'

const REPEATED = 'a call is repeated'
const REBUILT = 'readers are switched to a view that was rebuilt'

export interface CourierRounds {
  readonly options: SimulationOptions
  /** For a deployment that binds its own. */
  readonly lambda: {
    /** The doorbell of the run that was begun last. */
    gateways(this: void): ReadonlyArray<GatewayBinding>
    readonly jobs: ReadonlyArray<LambdaJob>
  }
}

export const courierRounds = (): CourierRounds => {
  let current: Doorbell | undefined
  const options: SimulationOptions = {
    service,
    workload,
    invariants,
    marks: [REPEATED, REBUILT],
    parts: { jobs: [rebuilding] },
    surroundings: (ports) => {
      const around = doorbellOf(ports)
      current = around
      return { gateways: () => [around.binding], invariants: around.invariants }
    },
  }
  return {
    options,
    lambda: { gateways: () => (current === undefined ? [] : [current.binding]), jobs: [rebuilding] },
  }
}

/** Over core's ports as over runtime-lambda's: the view is built anew while parcels are under way. */
const rebuilding: LambdaJob = {
  name: 'rebuild',
  afterMs: 1500,
  run: async ({ store, views, clock, mark }) => {
    const { built, read } = generations
    const done = await rebuild(built, { store, views, clock }, { segments: 2, listed: [built, read] })()
    if (E.isRight(done) && done.right._tag === 'Switched') mark(REBUILT)
    return done
  },
}

// The doorbell

interface Doorbell {
  readonly binding: GatewayBinding
  readonly invariants: ReadonlyArray<Invariant>
}

const DEAD = 'dead before it rang'
const DEAF = 'dead after it rang'

/** It may be asked twice about one ring, and fail before or after; its book says which key is for which ring. */
const doorbellOf = ({ mark, choose, tell }: SurroundingsPorts): Doorbell => {
  const doors = new Map<CommandId, string>()
  const keys = new Map<string, CommandId>()
  let confused: string | undefined
  const times = new Map<string, number>()
  const note = (key: CommandId, door: string) => {
    const [before, other] = [doors.get(key), keys.get(door)]
    if (before !== undefined) mark(REPEATED)
    if (before !== undefined && before !== door) confused = `${key} is for ${before} and ${door}`
    if (other !== undefined && other !== key) confused = `${door} has the keys ${other} and ${key}`
    doors.set(key, door)
    keys.set(door, key)
  }
  const failing = (door: string): string | undefined => {
    const time = (times.get(door) ?? 0) + 1
    times.set(door, time)
    const key = `doorbell: ${door} #${time}`
    const deviation = choose(key, [DEAD, DEAF], { port: 'doorbell', operation: 'rings' })
    if (deviation !== undefined) tell({ lane: 'doorbell', operation: 'rings', subject: door, key, deviation })
    return deviation
  }
  const binding = bind(doorbell, ({ recorded, state, key }) => async () => {
    const { event, stream } = recorded
    const ring = event._tag === 'BroughtToDoor' ? event.ring : 0
    const door = `${stream} ring ${ring}`
    const deviation = failing(door)
    if (deviation === DEAD) return E.left(unavailable('the doorbell'))
    note(key, door)
    if (deviation === DEAF) return E.left(unavailable('the doorbell'))
    const opened: ParcelCommand = { _tag: ring >= state.opensAt ? 'HandOver' : 'LeaveNote' }
    return E.right(opened)
  })
  return {
    binding,
    invariants: [
      alwaysOverall('no key of the doorbell is for two rings, and no ring has two', () => confused ?? true),
      eventuallyOverall('the doorbell rang at every door', ({ log }) => {
        const missing = ringsIn(log).find((door) => !keys.has(door))
        return missing === undefined || missing
      }),
    ],
  }
}

type Log = Parameters<Parameters<typeof alwaysOverall>[1]>[0]['log']

const ringsIn = (log: Log): ReadonlyArray<string> =>
  log.flatMap(({ stream, answers }) =>
    answers.flatMap(({ events }) =>
      events.flatMap((event) =>
        event._tag === 'BroughtToDoor' ? [`${stream} ring ${String(event['ring'])}`] : [],
      ),
    ),
  )

// What holds

/** Whether the newest commit is of a courier, and has such an event. */
const newest = (
  log: Log,
  tag: string,
  of: (event: Log[number]['answers'][number]['events'][number]) => boolean,
) =>
  log.at(-1)?.answers.some(({ events }) => events.some((event) => event._tag === tag && of(event))) ?? false

const invariants: ReadonlyArray<Invariant> = [
  always('no van is fuller than it may be', van, ({ aboard }) => aboard.length <= ROOM),
  eventually('every van is empty in the end', van, ({ aboard }) => aboard.length === 0 || aboard.join()),
  eventually(
    'every parcel ends delivered, returned or withdrawn',
    parcel,
    ({ standing }) => !['under way', 'at the door'].includes(standing) || standing,
  ),
  sometimesOverall('a van is full', ({ log }) =>
    newest(log, 'Returned', ({ because }) => because === 'the van is full'),
  ),
  sometimes('a timer rings', parcel, ({ rings }) => rings > 0),
  sometimes('a timer rings again', parcel, ({ rings }) => rings > 1),
  sometimesOverall('a timer is canceled', ({ log }) => newest(log, 'TimerCanceled', () => true)),
]

// What happens

const TENANTS = ['north', 'south']

/** A few parcels for each tenant's one van; some are fetched or called back early, or on the way. */
const workload: Workload = (random) =>
  TENANTS.flatMap((tenant) =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, (_, at) => {
      const own = { aggregate: parcel, id: `p${at + 1}`, tenant, client: `client ${at + 1} in the ${tenant}` }
      const handedInMs = Math.floor(random() * 2000)
      const handIn = { _tag: 'HandIn', van: 'v', opensAt: 1 + Math.floor(random() * 3) }
      const second = { _tag: random() < 0.5 ? 'Withdraw' : 'PickUp' }
      const laterMs = Math.floor(random() * (random() < 0.5 ? 2000 : 1_500_000))
      return [
        { ...own, command: handIn, afterMs: handedInMs },
        ...(random() < 0.5 ? [{ ...own, command: second, afterMs: handedInMs + laterMs }] : []),
      ]
    }).flat(),
  )
