import {
  type Commit,
  type Delivery,
  E,
  type Fault,
  type Message,
  outbox,
  type Queue,
  type Service,
  type TE,
  type Timer,
  type TimerService,
  unavailable,
} from '@everfold/core'
import { Shop } from '@everfold/ecommerce'
import { fc, test as property } from '@fast-check/vitest'
import { beforeAll, describe, expect, test } from 'vitest'
import { outboxRelay } from '../../src/relay/index.ts'
import { must } from '../must.ts'
import { shopping } from '../shop.ts'

const service = Shop.service()
const deliveriesOf = outbox(service)
let log: ReadonlyArray<Commit> = []

beforeAll(async () => {
  ;({ log } = await shopping())
})

const refuse = () => {
  throw new Error('a relay only sends')
}

/** What was sent, where the next calls meet these fates; a call that fails has sent its first message all the same. */
const world = (fates: ReadonlyArray<boolean>, of: Service = service, schedule?: TimerService['schedule']) => {
  const sent = {
    commands: [] as Array<Message>,
    calls: [] as Array<Message>,
    timers: [] as Array<Timer | string>,
  }
  let calls = 0
  const meeting =
    <A>(to: Array<A>, all: ReadonlyArray<A>): TE.TaskEither<Fault, void> =>
    async () => {
      const fails = fates[calls++] === false
      to.push(...(fails ? all.slice(0, 1) : all))
      return fails ? E.left(unavailable('a planted fault')) : E.right(undefined)
    }
  const queue = (to: Array<Message>): Queue => ({
    send: (messages) => meeting(to, messages),
    receive: refuse,
    delete: refuse,
    release: refuse,
  })
  const timers = {
    schedule: schedule ?? ((timer: Timer) => meeting(sent.timers, [timer])),
    cancel: (id: string) => meeting(sent.timers, [id]),
  }
  const work = outboxRelay({ service: of, commands: queue(sent.commands), calls: queue(sent.calls), timers })
  return { sent, work }
}

const idOf = (one: Delivery): string => {
  switch (one._tag) {
    case 'Dispatch':
      return one.envelope.id
    case 'Schedule':
      return one.timer.id
    case 'CancelTimer':
      return one.id
    case 'Call':
      return one.recorded.id
  }
}

const asked = (commits: ReadonlyArray<Commit>, tag: Delivery['_tag']): ReadonlyArray<string> =>
  commits.flatMap((commit) =>
    must(deliveriesOf(commit)).flatMap((one) => (one._tag === tag ? [idOf(one)] : [])),
  )

const isHeard = ({ stream, answers }: Commit): boolean =>
  answers.some(({ events }) => events.length > 0) &&
  service.processes.some(({ hears }) =>
    hears.some(({ aggregate }) => stream.startsWith(`${aggregate.name}/`)),
  )

/** The service with processes that throw at one commit's events. */
const throwingAt = (poison: Commit | undefined): Service => ({
  ...service,
  processes: service.processes.map((process) => ({
    ...process,
    hears: process.hears.map(({ aggregate, correlate }) => ({
      aggregate,
      correlate: (recorded: Parameters<typeof correlate>[0]) => {
        if (recorded.stream === poison?.stream && recorded.commit === poison.number)
          throw new Error('planted')
        return correlate(recorded)
      },
    })),
  })),
})

const callIds = (messages: ReadonlyArray<Message>) =>
  messages.map(({ body }) => {
    const { stream, commit, index } = body as Record<string, string | number>
    return `${stream}@${commit}.${index}`
  })

describe('what commits ask for', () => {
  test('is sent, each to its place, verbatim and in order', async () => {
    const { sent, work } = world([])
    expect(await work(log)).toEqual(log.map(() => E.right(undefined)))
    expect(sent.commands.map(({ id }) => id)).toEqual(asked(log, 'Dispatch'))
    expect(callIds(sent.calls)).toEqual(asked(log, 'Call'))
    const timed = log.flatMap((commit) =>
      must(deliveriesOf(commit)).flatMap((one): ReadonlyArray<Timer | string> => {
        if (one._tag === 'Schedule') return [one.timer]
        return one._tag === 'CancelTimer' ? [one.id] : []
      }),
    )
    expect(sent.timers).toEqual(timed)
    for (const { length } of Object.values(sent)) expect(length).toBeGreaterThan(0)
  })

  test('is sent up to a commit that does not decode', async () => {
    const broken = log.findIndex(({ stream }) => stream.startsWith('stock/'))
    const commits = log.map((commit, at) => (at === broken ? undecodable(commit) : commit))
    const { sent, work } = world([])
    const outcomes = await work(commits)
    expect(outcomes[broken]).toMatchObject({ left: { _tag: 'Undecodable' } })
    expect(outcomes.slice(0, broken).every((outcome) => outcome?._tag === 'Right')).toBe(true)
    expect(outcomes.slice(broken + 1).every((outcome) => outcome === undefined)).toBe(true)
    expect(sent.commands.map(({ id }) => id)).toEqual(asked(log.slice(0, broken), 'Dispatch'))
  })

  test('is sent up to a commit that a process throws at, which is reported there', async () => {
    const heard = log.flatMap((commit, at) => (isHeard(commit) ? [at] : []))
    const broken = heard.at(-1) ?? 0
    const { sent, work } = world([], throwingAt(log[broken]))
    const outcomes = await work(log)
    expect(outcomes[broken]).toMatchObject({ left: { _tag: 'Unavailable', cause: { message: 'planted' } } })
    expect(outcomes.slice(0, broken).every((outcome) => outcome?._tag === 'Right')).toBe(true)
    expect(outcomes.slice(broken + 1).every((outcome) => outcome === undefined)).toBe(true)
    expect(sent.commands.map(({ id }) => id)).toEqual(asked(log.slice(0, broken), 'Dispatch'))
    expect(sent.commands.length).toBeGreaterThan(0)
  })

  test('is sent up to a commit that a port throws at, which is reported there', async () => {
    const broken = log.findIndex((commit) => asked([commit], 'Schedule').length > 0)
    const { work } = world([], service, refuse)
    const outcomes = await work(log)
    expect(outcomes[broken]).toMatchObject({ left: { _tag: 'Unavailable', cause: expect.any(Error) } })
    expect(outcomes.slice(0, broken).every((outcome) => outcome?._tag === 'Right')).toBe(true)
    expect(outcomes.slice(broken + 1).every((outcome) => outcome === undefined)).toBe(true)
  })

  property.prop(
    [fc.array(fc.boolean(), { maxLength: 30 }), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })],
    {
      numRuns: 50,
    },
  )('is all sent in the end, and nothing else, however often it fails', async (fates, cuts) => {
    const { sent, work } = world(fates)
    let from = 0
    for (let turn = 0; from < log.length; turn += 1) {
      expect(turn).toBeLessThan(200)
      const batch = log.slice(from, from + (cuts[turn % cuts.length] ?? 1))
      const outcomes = await work(batch)
      const failed = outcomes.findIndex((outcome) => outcome === undefined || E.isLeft(outcome))
      from += failed < 0 ? batch.length : failed
    }
    expect(new Set(sent.commands.map(({ id }) => id))).toEqual(new Set(asked(log, 'Dispatch')))
    expect(new Set(callIds(sent.calls))).toEqual(new Set(asked(log, 'Call')))
    const timed = sent.timers.map((one) => (typeof one === 'string' ? one : one.id))
    expect(new Set(timed)).toEqual(new Set([...asked(log, 'Schedule'), ...asked(log, 'CancelTimer')]))
  })
})

const undecodable = (commit: Commit): Commit => ({
  ...commit,
  answers: commit.answers.map((answer) => Object.assign({ ...answer }, { events: [{ _tag: 'Unheard' }] })),
})
