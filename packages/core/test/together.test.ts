import {
  type Agreement,
  type Commit,
  decodeEvent,
  E,
  type Envelope,
  type EventStore,
  type ExecuteOptions,
  envelope,
  execute,
  type Part,
  part,
  type StoredAnswer,
  type StreamName,
  streamName,
  together,
  undatedId,
} from '@everfold/core'
import { type EventStoreOptions, memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import * as Purses from './purses.ts'
import { idOf, START_MS, unreliable } from './writers.ts'

type PursePart = Part<Purses.PurseCommand, Purses.Purse, Purses.PurseEvent, Purses.PurseRejection>
type Agreed = Agreement<ReadonlyArray<PursePart>>

const purse = (owner: string): StreamName => streamName('purse', owner)

const asked = (command: unknown, name: string, more: Partial<Envelope<Purses.PurseCommand>> = {}) => ({
  ...envelope(command as Purses.PurseCommand, { id: idOf(name), timeMs: START_MS }),
  ...more,
})

/** One command of a transaction, by its purse and the coins that it gets; it gives them where they are negative. */
const share = (name: string, owner: string, coins: number): PursePart =>
  part(
    Purses.aggregate,
    purse(owner),
    asked(
      coins === 0 ? { _tag: 'Watch' } : coins < 0 ? { _tag: 'Give', coins: -coins } : { _tag: 'Get', coins },
      name,
    ),
  )

const house = (options: Partial<ExecuteOptions> = {}, storeOptions: EventStoreOptions = {}) => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel, storeOptions)
  const ports = { store, clock: kernel }
  const run = together(ports, options)
  const agree = async (parts: ReadonlyArray<PursePart>): Promise<Agreed> => {
    const agreed = await run(parts)()
    if (E.isLeft(agreed)) throw new Error(`a fault: ${JSON.stringify(agreed.left)}`)
    return agreed.right
  }
  return { kernel, store, ports, run, agree, alone: execute(Purses.aggregate, ports, options) }
}

/** What the answers say, without the places. */
const said = (agreed: Agreed) =>
  E.isRight(agreed)
    ? agreed.right.map(({ outcome, replayed }) => [outcome, replayed])
    : agreed.left.map((one) =>
        one === undefined
          ? undefined
          : E.isLeft(one)
            ? one.left._tag
            : [one.right.outcome, one.right.replayed],
      )

const places = (log: ReadonlyArray<Commit>) => log.map(({ stream, number }) => `${stream}@${number}`)

const got = (coins: number) => E.right([{ _tag: 'Got', coins }])
const given = (coins: number) => E.right([{ _tag: 'Given', coins }])
const tooPoor = (wanted: number) => E.left({ _tag: 'TooPoor', wanted })

const transfer = (name: string, coins: number) => [share(name, 'ann', -coins), share(name, 'ben', coins)]

describe('commands of several streams', () => {
  test('are recorded together, each on its stream, and a repeat gives the recorded answers', async () => {
    const { agree, store } = house()
    await agree([share('salary', 'ann', 10)])
    expect(said(await agree(transfer('rent', 7)))).toEqual([
      [given(7), false],
      [got(7), false],
    ])
    expect(places(store.log)).toEqual(['purse/ann@1', 'purse/ann@2', 'purse/ben@1'])
    expect(said(await agree(transfer('rent', 7)))).toEqual([
      [given(7), true],
      [got(7), true],
    ])
    expect(store.log.length).toBe(3)
  })
  test('are answered in their order, each by its own type', async () => {
    const { run } = house()
    const agreed = await run([share('x', 'ben', 1), share('x', 'ann', 0), share('x', 'cid', 2)])()
    if (E.isLeft(agreed) || E.isLeft(agreed.right)) throw new Error('should be agreed')
    const [ben, ann, cid] = agreed.right.right
    expect([ben.position, ann.position, cid.position]).toEqual([
      { stream: purse('ben'), commit: 1 },
      { stream: purse('ann'), commit: 1 },
      { stream: purse('cid'), commit: 1 },
    ])
    expect(ann.outcome).toEqual(E.right([]))
  })
  test('that are none are agreed', async () => {
    expect(await house().run([])()).toEqual(E.right(E.right([])))
  })
  test('of one stream are decided in turn and recorded in one commit', async () => {
    const { agree, store } = house()
    const parts = [share('in', 'ann', 5), share('out', 'ann', -4), share('on', 'ben', 4)]
    expect(said(await agree(parts)).map((one) => one?.[0])).toEqual([got(5), given(4), got(4)])
    expect(places(store.log)).toEqual(['purse/ann@1', 'purse/ben@1'])
    const again = [share('in', 'cid', 5), share('in', 'cid', 5)]
    expect(said(await agree(again))).toEqual([
      [got(5), false],
      [got(5), true],
    ])
  })
})

describe('where one is rejected', () => {
  test('only the rejection is recorded, and a repeat gives it, though the world has changed', async () => {
    const { agree, store } = house()
    expect(said(await agree(transfer('rent', 7)))).toEqual([[tooPoor(7), false], undefined])
    expect(places(store.log)).toEqual(['purse/ann@1'])
    await agree([share('salary', 'ann', 10)])
    expect(said(await agree(transfer('rent', 7)))).toEqual([[tooPoor(7), true], undefined])
    expect(places(store.log)).toEqual(['purse/ann@1', 'purse/ann@2'])
  })
  test('the id of one that came beside it is not used up', async () => {
    const { agree } = house()
    await agree(transfer('rent', 7))
    expect(said(await agree([share('rent', 'ben', 3)]))).toEqual([[got(3), false]])
  })
  test('all rejections are recorded, in one transaction', async () => {
    const { agree, store } = house()
    const parts = [share('x', 'ann', -1), share('x', 'ben', 3), share('x', 'cid', -2)]
    for (const replayed of [false, true])
      expect(said(await agree(parts))).toEqual([[tooPoor(1), replayed], undefined, [tooPoor(2), replayed]])
    expect(places(store.log)).toEqual(['purse/ann@1', 'purse/cid@1'])
  })
  test('in one stream, the others of that stream are left out too', async () => {
    const { agree, store } = house()
    const parts = [share('in', 'ann', 5), share('out', 'ann', -9)]
    for (const replayed of [false, true])
      expect(said(await agree(parts))).toEqual([undefined, [tooPoor(9), replayed]])
    expect(store.log.map(({ version, answers }) => [version, answers.length])).toEqual([[0, 1]])
  })
})

const datedShare = (dateMs: number): PursePart => {
  const { aggregate, stream, member } = share('x', 'ann', 1)
  return part(aggregate, stream, { ...member, id: idOf('x', dateMs) })
}

const undatedTransfer = (timeMs: number): ReadonlyArray<PursePart> =>
  transfer('rent', 1).map(({ aggregate, stream, member }) =>
    part(aggregate, stream, { ...member, id: undatedId('rent'), dateMs: timeMs, timeMs }),
  )

describe('an id', () => {
  test('beside other commands than before, or alone, is another payload', async () => {
    const { agree, alone, store } = house()
    await agree([share('salary', 'ann', 10), share('salary', 'ben', 10)])
    await agree(transfer('rent', 7))
    const taken = store.log.length
    expect(said(await agree(transfer('rent', 6)))).toEqual(['IdReused', 'IdReused'])
    expect(said(await agree([share('rent', 'ann', -7), share('rent', 'cid', 7)]))).toEqual([
      'IdReused',
      undefined,
    ])
    expect(said(await agree([...transfer('rent', 7), share('rent', 'cid', 0)]))).toEqual([
      'IdReused',
      'IdReused',
      undefined,
    ])
    expect(await alone(purse('ben'), [share('rent', 'ben', 7).member])()).toEqual(
      E.right([E.left({ _tag: 'IdReused', commandId: idOf('rent') })]),
    )
    await alone(purse('cid'), [share('gift', 'cid', 7).member])()
    expect(said(await agree([share('gift', 'ann', -7), share('gift', 'cid', 7)]))).toEqual([
      undefined,
      'IdReused',
    ])
    expect(store.log.length).toBe(taken + 1)
  })
  test('from the future, or too old, refuses the whole, and nothing is recorded', async () => {
    const { agree, store } = house()
    for (const [dateMs, refusal] of [
      [START_MS + 10 ** 9, 'IdFromTheFuture'],
      [START_MS - 10 ** 10, 'IdTooOld'],
    ] as const)
      expect(said(await agree([share('x', 'ben', 1), datedShare(dateMs)]))).toEqual([undefined, refusal])
    expect(store.log.length).toBe(0)
  })
  test('without a date is found by its markers, and after its 24 hours refused rather than repeated', async () => {
    const { agree, alone, store, kernel } = house({ snapshotEvery: 1, remembered: 1 })
    for (const owner of ['ann', 'ben'])
      for (const at of [0, 1, 2])
        await alone(purse(owner), [
          asked({ _tag: 'Get', coins: 1 }, `${at}`, { id: idOf(`${at}`, START_MS + at) }),
        ])()
    await agree(undatedTransfer(START_MS))
    const taken = store.log.length
    expect(store.log.slice(-2).every(({ answers }) => answers[0]?.marked === true)).toBe(true)
    await alone(purse('ann'), [asked({ _tag: 'Get', coins: 1 }, 'on', { id: idOf('on', START_MS + 5) })])()
    for (const owner of ['ann', 'ben']) await alone(purse(owner), [asked({ _tag: 'Watch' }, owner)])()
    expect(said(await agree(undatedTransfer(START_MS + 9)))).toEqual([
      [given(1), true],
      [got(1), true],
    ])
    const later = await together({ store: withoutMarkers(store, purse('ben')), clock: kernel })(
      undatedTransfer(START_MS + 9),
    )()
    expect(E.isRight(later) && said(later.right)).toEqual([[given(1), true], 'IdTooOld'])
    expect(store.log.length).toBe(taken + 3)
  })
})

/** The port of a store that has forgotten the markers of one stream before those of others. */
const withoutMarkers = (store: EventStore, forgotten: StreamName): EventStore => ({
  ...store,
  marker: (stream, id) => (stream === forgotten ? async () => E.right(undefined) : store.marker(stream, id)),
  appendTogether: (commits, unmoved) =>
    store.appendTogether(
      commits.map((commit) =>
        commit.stream === forgotten ? { ...commit, answers: commit.answers.map(unmarked) } : commit,
      ),
      unmoved,
    ),
})

const unmarked = (answer: StoredAnswer): StoredAnswer => {
  const { marked: _, ...bare } = answer
  return bare
}

test('attempts that saw the streams at different times record one outcome', async () => {
  const { agree, alone, store, kernel } = house()
  await agree([share('salary', 'ann', 5), share('salary', 'ben', 5)])
  const parts = [share('x', 'ann', -5), share('x', 'ben', -5), share('x', 'cid', 10)]
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  /** Sees one purse as it was before both were emptied, and the other one as it was after. */
  const attempt = (late: string) => {
    const crossing: EventStore = {
      ...store,
      readBackward: (stream, options) => async () => {
        if (stream === purse(late)) await gate
        return store.readBackward(stream, options)()
      },
    }
    return together({ store: crossing, clock: kernel })(parts)()
  }
  const attempts = [attempt('ann'), attempt('ben')]
  for (const owner of ['ann', 'ben']) await alone(purse(owner), [share('spent', owner, -5).member])()
  open()
  const [one, other] = (await Promise.all(attempts)).map((agreed) => {
    if (E.isLeft(agreed)) throw new Error(`a fault: ${JSON.stringify(agreed.left)}`)
    return outcomesOf(agreed.right)
  })
  expect(one).toEqual(other)
  expect(one).toEqual(recorded(store.log, parts))
})

/** A store whose next reads of a stream, so many of each, do not show its newest commit yet. */
const lagging = (store: EventStore, lags: ReadonlyMap<StreamName, number>): EventStore => {
  const left = new Map(lags)
  const newest = new Map<StreamName, number>()
  const seen = async (stream: StreamName, read: ReturnType<EventStore['readForward']>) => {
    const at =
      newest.get(stream) ?? rightOf(await store.readBackward(stream, { limit: 1 })()).commits[0]?.number
    newest.set(stream, at ?? 0)
    const page = await read()
    const reads = left.get(stream) ?? 0
    left.set(stream, reads - 1)
    if (reads <= 0 || E.isLeft(page)) return page
    return E.right({ ...page.right, commits: page.right.commits.filter(({ number }) => number !== at) })
  }
  return {
    ...store,
    readBackward: (stream, options) => () => seen(stream, store.readBackward(stream, options)),
    readForward: (stream, options) => () => seen(stream, store.readForward(stream, options)),
  }
}

const rightOf = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(`failed: ${JSON.stringify(answer.left)}`)
  return answer.right
}

describe('a transaction that is on record is answered as recorded', () => {
  const legs = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2, maxLength: 4 })
  const lags = fc.array(fc.nat(4), { minLength: 4, maxLength: 4 })
  property.prop([legs, lags])('however much later one stream shows it than another', async (coins, late) => {
    const { agree, kernel, store } = house()
    const parts = coins.map((one, at) => share('x', `${at}`, one))
    const recordedFirst = outcomesOf(await agree(parts))
    const taken = store.log.length
    const after = new Map(store.log.map(({ stream }, at) => [stream, late[at] ?? 0]))
    const again = rightOf(await together({ store: lagging(store, after), clock: kernel })(parts)())
    expect(outcomesOf(again)).toEqual(recordedFirst)
    expect(store.log.length).toBe(taken)
  })
  test('or not at all: while a stream never shows it, nobody is told anything else', async () => {
    const { agree, kernel, store } = house()
    const parts = [share('x', 'ann', 1), share('x', 'ben', 1)]
    await agree(parts)
    const blind = lagging(store, new Map([[purse('ben'), Number.POSITIVE_INFINITY]]))
    expect(await together({ store: blind, clock: kernel })(parts)()).toEqual(
      E.left({ _tag: 'Unsettled', stream: purse('ann'), commandIds: parts.map(({ member }) => member.id) }),
    )
  })
})

/** What has been recorded of one transaction's parts, by the streams. */
interface Script {
  readonly seed: number
  readonly transfers: ReadonlyArray<ReadonlyArray<{ readonly owner: number; readonly coins: number }>>
  /** Which transfers each writer sends in turn; several send the same. */
  readonly writers: ReadonlyArray<ReadonlyArray<number>>
  /** What single-stream writers put in and take out beside them. */
  readonly singles: ReadonlyArray<{ readonly owner: number; readonly coins: number }>
  readonly rate: number
  readonly handler: Partial<ExecuteOptions>
}

const OWNERS = ['ann', 'ben', 'cid']
const ownerOf = (at: number): string => OWNERS[at % OWNERS.length] ?? ''

const partsOf = (legs: Script['transfers'][number], at: number): ReadonlyArray<PursePart> =>
  legs.map(({ owner, coins }, leg) => share(`transfer ${at}/${leg}`, ownerOf(owner), coins))

/** Folds a purse's log, and holds each answer on it to the decision on just that prefix. */
const coinsAfter = (
  commits: ReadonlyArray<Commit>,
  sent: ReadonlyMap<string, Purses.PurseCommand>,
): number => {
  let state = Purses.initial
  for (const [at, commit] of commits.entries()) {
    expect(commit.number).toBe(at + 1)
    for (const answer of commit.answers) {
      const command = sent.get(answer.id)
      if (command === undefined) throw new Error(`never sent: ${answer.id}`)
      const decision = Purses.decide(command, state)
      expect(answer.rejection).toEqual(E.isLeft(decision) ? decision.left : undefined)
      expect(answer.events).toEqual(E.isRight(decision) ? decision.right : [])
      for (const stored of answer.events) {
        const event = decodeEvent(Purses.aggregate, stored)
        if (E.isRight(event)) state = Purses.evolve(state, event.right)
      }
    }
  }
  return state.coins
}

/** What is on record of the parts at some moment: for each, its answer, or undefined. */
const recordOf = (log: ReadonlyArray<Commit>, parts: ReadonlyArray<PursePart>) =>
  parts.map(({ stream, member }) => {
    const found = log
      .filter((commit) => commit.stream === stream)
      .flatMap(({ answers }) => answers.filter(({ id }) => id === member.id))
    expect(found.length).toBeLessThanOrEqual(1)
    return found[0]
  })

/** Whoever looks at any time sees of a transaction nothing, or all of its answers, or nothing but its rejections. */
const expectAllOrNone = (log: ReadonlyArray<Commit>, parts: ReadonlyArray<PursePart>): void => {
  const record = recordOf(log, parts)
  if (record.every((answer) => answer === undefined)) return
  const rejected = record.some((answer) => answer?.rejection !== undefined)
  for (const answer of record)
    if (rejected) expect(answer === undefined || answer.rejection !== undefined).toBe(true)
    else expect(answer).toBeDefined()
}

const contend = async ({ seed, transfers, writers, singles, rate, handler }: Script) => {
  const kernel = virtualKernel({ seed })
  const store = memoryEventStore(kernel)
  const all = transfers.map(partsOf)
  const told: Array<{ readonly at: number; readonly agreed: Agreed }> = []
  const firstSeen = new Map<number, string>()
  store.subscribe(() => {
    for (const [at, parts] of all.entries()) {
      expectAllOrNone(store.log, parts)
      const record = JSON.stringify(recordOf(store.log, parts))
      // What is recorded of a transaction is recorded at once, and never more.
      if (record.includes('"id"')) expect(record).toBe(firstSeen.get(at) ?? record)
      if (record.includes('"id"')) firstSeen.set(at, record)
    }
  })
  const ports = () => ({ store: unreliable(store, kernel, { rate, lateMs: 2000 }), clock: kernel })
  const work = async (mine: ReadonlyArray<number>) => {
    const run = together(ports(), handler)
    for (const one of mine) {
      const at = one % all.length
      for (let agreed: Agreed | undefined; agreed === undefined; ) {
        const outcome = await run(all[at] ?? [])()
        if (E.isRight(outcome)) agreed = outcome.right
        else await kernel.sleep(100)
        if (agreed !== undefined) told.push({ at, agreed })
      }
    }
  }
  const beside = async () => {
    const run = execute(Purses.aggregate, ports(), handler)
    for (const [at, { owner, coins }] of singles.entries()) {
      const { stream, member } = share(`single ${at}`, ownerOf(owner), coins)
      while (E.isLeft(await run(stream, [member])())) await kernel.sleep(100)
    }
  }
  await kernel.run(() =>
    Promise.all([
      ...writers.map((mine, at) => kernel.as(`writer ${at}`, () => work(mine))),
      kernel.as('beside', beside),
    ]),
  )
  // What was late lands now, and changes nothing.
  await kernel.settle(kernel.nowMs() + 10_000)
  return { store, all, told }
}

describe('every transaction has exactly one effect and one answer', () => {
  const anyOwner = fc.nat({ max: 2 })
  const anyCoins = fc.integer({ min: 1, max: 9 })
  const move = fc
    .tuple(fc.uniqueArray(anyOwner, { minLength: 2, maxLength: 3 }), anyCoins)
    .map(([[to = 0, ...from], coins]) => [
      { owner: to, coins: coins * from.length },
      from.map((owner) => ({ owner, coins: -coins })),
    ])
    .map((legs) => legs.flat())
  const script = fc.record({
    seed: fc.integer(),
    transfers: fc.array(move, { minLength: 1, maxLength: 8 }),
    writers: fc.array(fc.array(fc.nat(), { maxLength: 6 }), { minLength: 1, maxLength: 4 }),
    singles: fc.array(fc.record({ owner: anyOwner, coins: fc.integer({ min: -6, max: 9 }) }), {
      maxLength: 12,
    }),
    rate: fc.constantFrom(0, 0.1, 0.4),
    handler: fc.record({
      snapshotEvery: fc.integer({ min: 1, max: 4 }),
      remembered: fc.integer({ min: 1, max: 6 }),
    }),
  })
  property.prop([script], { numRuns: 150 })(
    'and moves coins whole, whatever is lost, late, repeated or written beside it',
    async (chances) => {
      const { store, all, told } = await contend(chances)
      const sent = new Map<string, Purses.PurseCommand>(
        all.flat().map(({ member }) => [member.id, member.command]),
      )
      for (const [at, { owner, coins }] of chances.singles.entries()) {
        const { member } = share(`single ${at}`, ownerOf(owner), coins)
        sent.set(member.id, member.command)
      }
      let inside = 0
      for (const name of OWNERS)
        inside += coinsAfter(
          store.log.filter(({ stream }) => stream === purse(name)),
          sent,
        )
      // A transfer moves as much in as out, so only what came and went alone changes how much there is.
      const transferred = new Set<string>(all.flat().map(({ member }) => member.id))
      let alone = 0
      for (const { answers } of store.log)
        for (const { id, events } of answers)
          if (!transferred.has(id))
            for (const event of events) alone += (event._tag === 'Got' ? 1 : -1) * Number(event['coins'])
      expect(inside).toBe(alone)
      for (const { at, agreed } of told)
        expect(outcomesOf(agreed)).toEqual(recorded(store.log, all[at] ?? []))
    },
    60_000,
  )
})

/** Of each part what its caller was told: its events, its rejection, or nothing. */
const outcomesOf = (agreed: Agreed) =>
  (E.isRight(agreed) ? agreed.right.map((answer) => E.right(answer)) : agreed.left).map((settled) => {
    if (settled === undefined) return undefined
    if (E.isLeft(settled)) throw new Error(`refused: ${settled.left._tag}`)
    return settled.right.outcome
  })

const recorded = (log: ReadonlyArray<Commit>, parts: ReadonlyArray<PursePart>) =>
  recordOf(log, parts).map((answer) => {
    if (answer === undefined) return undefined
    return answer.rejection === undefined ? E.right(answer.events) : E.left(answer.rejection)
  })
