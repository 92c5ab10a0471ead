/** What every event store must do; run against the one in memory and against DynamoDB. */
import { type CommandId, deriveId, undatedId } from '../command-id.ts'
import { type Commit, type StoredAnswer, type StoredEvent, sizeBytes } from '../commit.ts'
import { E } from '../fp.ts'
import type { EventStore, Page } from '../ports/event-store.ts'
import { type StreamName, streamName } from '../stream-name.ts'
import { holds, leftOf, rightOf, type Suite, same, suite } from './suite.ts'

/** `run` tells this run's streams from those of others in the same tables. */
export const eventStoreSuite = (make: () => Promise<EventStore>, run: string = 'run'): Suite =>
  suite(make, run, { ...appending, ...together, ...reading, ...scanning, ...marking, ...keeping })

type Body = (store: EventStore, name: string) => Promise<void>
type Bodies = { readonly [title: string]: Body }

/** The first of January 2026. */
const TIME_MS = 1_767_225_600_000

const named = (name: string): StreamName => streamName('conformance', name)

const answerOf = (id: CommandId, events: number, padding = ''): StoredAnswer => ({
  id,
  fingerprint: '1AAAAAAAAAAAA',
  timeMs: TIME_MS,
  metadata: { correlationId: id },
  events: Array.from({ length: events }, (_, index): StoredEvent => ({ _tag: 'Counted', index, padding })),
})

const idOf = (...parts: ReadonlyArray<string | number>): CommandId => deriveId(TIME_MS, ...parts.map(String))

const commitOf = (stream: StreamName, number: number, answers?: ReadonlyArray<StoredAnswer>): Commit => ({
  stream,
  number,
  version: number,
  timeMs: TIME_MS,
  latestIdMs: TIME_MS,
  answers: answers ?? [answerOf(idOf(stream, number), 1)],
})

const appended = async (store: EventStore, commits: ReadonlyArray<Commit>): Promise<void> => {
  for (const commit of commits) rightOf(await store.append(commit)())
}

const history = (stream: StreamName, length: number): ReadonlyArray<Commit> =>
  Array.from({ length }, (_, index) => commitOf(stream, index + 1))

/** All pages, each no longer than asked, and none empty before the last. */
const pages = async (
  limit: number,
  read: (last: Commit | undefined) => Promise<E.Either<unknown, Page>>,
): Promise<ReadonlyArray<Commit>> => {
  const commits: Array<Commit> = []
  for (;;) {
    const page = rightOf(await read(commits.at(-1)))
    holds(page.commits.length <= limit, `a page has at most ${limit} commits`)
    holds(page.done || page.commits.length > 0, 'only the last page is empty')
    commits.push(...page.commits)
    if (page.done) return commits
  }
}

const readAll = (store: EventStore, stream: StreamName, limit = 100): Promise<ReadonlyArray<Commit>> =>
  pages(limit, (last) => store.readForward(stream, { after: last?.number ?? 0, limit })())

const readAllBackward = (
  store: EventStore,
  stream: StreamName,
  limit: number,
): Promise<ReadonlyArray<Commit>> =>
  pages(limit, (last) =>
    store.readBackward(stream, last === undefined ? { limit } : { before: last.number, limit })(),
  )

const numbers = (commits: ReadonlyArray<Commit>): ReadonlyArray<number> => commits.map(({ number }) => number)

const appending: Bodies = {
  'a commit reads back as it was appended': async (store, name) => {
    const stream = named(`${name}/with some ünïcode 🦊 # and /`)
    const refused: StoredAnswer = {
      ...answerOf(idOf(name, 'refused'), 0),
      dateMs: TIME_MS,
      metadata: { correlationId: 'c', causationId: 'e', tenant: 't', actor: 'a', trace: '00-0-0-00' },
      rejection: { _tag: 'Refused', at: [1, 2.5, null, true, '', { deep: [] }] },
    }
    const commit: Commit = {
      ...commitOf(stream, 1, [answerOf(idOf(name), 2), refused]),
      snapshot: {
        fingerprint: '1BBBBBBBBBBBB',
        state: { units: 3, empty: {} },
        memory: {
          ids: [
            [idOf(name), 1],
            [undatedId(name), 1, TIME_MS],
          ],
          horizonMs: 5,
          marking: true,
        },
        sizeBytes: 17,
      },
    }
    await appended(store, [commit])
    same(await readAll(store, stream), [commit], 'the same commit')
  },
  'a taken place is a conflict and keeps what it has': async (store, name) => {
    const stream = named(name)
    await appended(store, history(stream, 2))
    for (const number of [1, 2]) {
      const failure = leftOf(await store.append(commitOf(stream, number, [answerOf(idOf('other'), 3)]))())
      same(failure._tag, 'Conflict', 'the place is taken')
    }
    same(await readAll(store, stream), history(stream, 2), 'nothing was replaced')
  },
  'of commits of unequal size that race from one head exactly one is stored': async (store, name) => {
    const stream = named(name)
    await appended(store, history(stream, 3))
    const rivals = Array.from({ length: 8 }, (_, rival) => {
      const answers = Array.from({ length: rival + 1 }, (__, at) =>
        answerOf(idOf(name, rival, at), rival % 3),
      )
      return { ...commitOf(stream, 4, answers), version: 3 + rival }
    })
    const outcomes = await Promise.all(rivals.map((rival) => store.append(rival)()))
    const winners = rivals.filter((_, rival) => outcomes[rival]?._tag === 'Right')
    same(winners.length, 1, 'one winner')
    for (const outcome of outcomes) if (E.isLeft(outcome)) same(outcome.left._tag, 'Conflict', 'the others')
    same(await readAll(store, stream), [...history(stream, 3), ...winners], 'the winner, whole, and no other')
  },
  'the same commit again is in conflict or known as the one that is stored': async (store, name) => {
    const stream = named(name)
    const own = commitOf(stream, 1)
    await appended(store, [own])
    const again = await store.append(own)()
    if (E.isLeft(again)) same(again.left._tag, 'Conflict', 'its place is taken')
    same(await readAll(store, stream), [own], 'it is on record once')
  },
  'a commit is stored whole or refused as too large': async (store, name) => {
    const stream = named(name)
    const padding = 'x'.repeat(9000)
    const large = commitOf(stream, 1, [answerOf(idOf(name), 64, padding)])
    const outcome = await store.append(large)()
    if (E.isLeft(outcome)) {
      const { left } = outcome
      if (left._tag !== 'TooLarge') throw new Error(`should be too large, is ${left._tag}`)
      holds(left.sizeBytes > left.limitBytes, 'the size is beyond the limit')
    }
    same(await readAll(store, stream), E.isLeft(outcome) ? [] : [large], 'all of it, or nothing')
  },
}

const reading: Bodies = {
  'a stream without commits is empty both ways': async (store, name) => {
    same(await readAll(store, named(name)), [], 'forward')
    same(await readAllBackward(store, named(name), 5), [], 'backward')
  },
  'pages of any length give every commit once, newest first or oldest first': async (store, name) => {
    const stream = named(name)
    const all = history(stream, 13)
    await appended(store, all)
    for (const limit of [1, 2, 5, 12, 13, 14, 100]) {
      same(await readAll(store, stream, limit), all, `forward by ${limit}`)
      same(await readAllBackward(store, stream, limit), all.toReversed(), `backward by ${limit}`)
    }
  },
  'a read starts next to the number it is given': async (store, name) => {
    const stream = named(name)
    await appended(store, history(stream, 9))
    const back = rightOf(await store.readBackward(stream, { before: 5, limit: 2 })())
    same(numbers(back.commits), [4, 3], 'below number 5')
    const forth = rightOf(await store.readForward(stream, { after: 5, limit: 2 })())
    same(numbers(forth.commits), [6, 7], 'after number 5')
    same(rightOf(await store.readForward(stream, { after: 9, limit: 2 })()).commits, [], 'after the head')
    same(rightOf(await store.readBackward(stream, { before: 1, limit: 2 })()).commits, [], 'below the first')
  },
  'a read sees every append that was acknowledged before it': async (store, name) => {
    const stream = named(name)
    for (const commit of history(stream, 20)) {
      await appended(store, [commit])
      const { commits } = rightOf(await store.readBackward(stream, { limit: 1 })())
      same(numbers(commits), [commit.number], 'the newest commit')
    }
  },
  'more than a page of the store’s own is read to its end': async (store, name) => {
    const stream = named(name)
    const padding = 'x'.repeat(60_000)
    const all = Array.from({ length: 30 }, (_, index) =>
      commitOf(stream, index + 1, [answerOf(idOf(stream, index), 1, padding)]),
    )
    await appended(store, all)
    same(numbers(await readAll(store, stream)), numbers(all), 'forward')
    same(numbers(await readAllBackward(store, stream, 100)), numbers(all.toReversed()), 'backward')
  },
  'streams whose names begin alike do not mix': async (store, name) => {
    const streams = ['', '/', '/1', '0', '#', ' '].map((end) => named(`${name}${end}`))
    for (const stream of streams) await appended(store, history(stream, 2))
    for (const stream of streams) same(await readAll(store, stream), history(stream, 2), stream)
  },
}

const scanned = async (store: EventStore, segments: number): Promise<ReadonlyArray<Commit>> => {
  const parts = Array.from({ length: segments }, async (_, segment) => {
    const commits: Array<Commit> = []
    let cursor: string | undefined
    do {
      const part = { segment, segments }
      const page = rightOf(await store.scan(cursor === undefined ? part : { ...part, cursor })())
      same(page.unreadable, [], 'all that was appended can be read')
      commits.push(...page.commits)
      cursor = page.cursor
    } while (cursor !== undefined)
    return commits
  })
  return (await Promise.all(parts)).flat()
}

const place = ({ stream, number }: Commit): string => `${stream}@${number}`

const scanning: Bodies = {
  'a scan in any number of segments meets every commit exactly once': async (store, name) => {
    const streams = Array.from({ length: 17 }, (_, index) => named(`${name}/${index}`))
    const all = streams.flatMap((stream, index) => history(stream, 1 + (index % 5)))
    await appended(store, all)
    const ours = new Set<string>(streams)
    for (const segments of [1, 2, 7]) {
      const met = (await scanned(store, segments)).filter(({ stream }) => ours.has(stream))
      same(met.map(place).toSorted(), all.map(place).toSorted(), `${segments} segments`)
    }
  },
}

const markedCommit = (stream: StreamName, number: number, id: CommandId): Commit =>
  commitOf(stream, number, [
    answerOf(idOf(stream, number, 'beside'), 1),
    { ...answerOf(id, 1), dateMs: TIME_MS, marked: true },
  ])

const marking: Bodies = {
  'a marked answer leaves a marker that names its commit': async (store, name) => {
    const stream = named(name)
    const id = undatedId(name)
    same(rightOf(await store.marker(stream, id)()) ?? null, null, 'none before')
    await appended(store, [commitOf(stream, 1), markedCommit(stream, 2, id)])
    same(rightOf(await store.marker(stream, id)()), 2, 'the commit that answers')
    same(rightOf(await store.marker(named(`${name}/other`), id)()) ?? null, null, 'of that stream only')
  },
  'a marker refuses its id again, and nothing of that commit is stored': async (store, name) => {
    const stream = named(name)
    const id = undatedId(name)
    await appended(store, [markedCommit(stream, 1, id)])
    const failure = leftOf(await store.append(markedCommit(stream, 2, id))())
    same(failure, { _tag: 'Marked', stream, commandId: id, commit: 1 }, 'which id, and where it was answered')
    same(numbers(await readAll(store, stream)), [1], 'nothing else')
    await appended(store, [markedCommit(named(`${name}/other`), 1, id)])
  },
  'a commit that finds its place taken leaves no marker': async (store, name) => {
    const stream = named(name)
    const id = undatedId(name)
    await appended(store, [commitOf(stream, 1)])
    leftOf(await store.append(markedCommit(stream, 1, id))())
    same(rightOf(await store.marker(stream, id)()) ?? null, null, 'no marker')
    await appended(store, [markedCommit(stream, 2, id)])
  },
  'of two commits that mark one id at once exactly one is stored': async (store, name) => {
    const stream = named(name)
    const id = undatedId(name)
    const rivals = [markedCommit(stream, 1, id), { ...markedCommit(stream, 1, id), version: 3 }]
    const outcomes = await Promise.all(rivals.map((rival) => store.append(rival)()))
    same(outcomes.filter(E.isRight).length, 1, 'one winner')
    same(rightOf(await store.marker(stream, id)()), 1, 'one marker')
  },
  'an answer that is not marked leaves and meets no marker': async (store, name) => {
    const stream = named(name)
    const id = undatedId(name)
    await appended(store, [commitOf(stream, 1, [answerOf(id, 1)])])
    same(rightOf(await store.marker(stream, id)()) ?? null, null, 'no marker')
    await appended(store, [markedCommit(stream, 2, id), commitOf(stream, 3, [answerOf(id, 1)])])
  },
}

const namedEach = (name: string, count: number): ReadonlyArray<StreamName> =>
  Array.from({ length: count }, (_, at) => named(`${name}/${at}`))

const firsts = (streams: ReadonlyArray<StreamName>): ReadonlyArray<Commit> =>
  streams.map((stream) => commitOf(stream, 1))

/** What all these streams hold, by their numbers. */
const held = async (store: EventStore, streams: ReadonlyArray<StreamName>) =>
  Promise.all(streams.map(async (stream) => numbers(await readAll(store, stream))))

const together: Bodies = {
  'commits of several streams are stored together, each as by itself': async (store, name) => {
    const streams = namedEach(name, 3)
    const [first, second, third] = streams as [StreamName, StreamName, StreamName]
    const id = undatedId(name)
    await appended(store, history(second, 2))
    const commits = [commitOf(first, 1), commitOf(second, 3), markedCommit(third, 1, id)]
    rightOf(await store.appendTogether(commits)())
    const stored = await Promise.all(streams.map((stream) => readAll(store, stream)))
    same(stored, [[commits[0]], [...history(second, 2), commits[1]], [commits[2]]], 'each on its stream')
    same(rightOf(await store.marker(third, id)()), 1, 'the marker')
    same(
      leftOf(await store.append(commitOf(first, 1, [answerOf(idOf('other'), 1)]))())._tag,
      'Conflict',
      'the place is taken',
    )
  },
  'where the place in one stream is taken nothing of any is stored, no marker either': async (
    store,
    name,
  ) => {
    const streams = namedEach(name, 3)
    const [first, second, third] = streams as [StreamName, StreamName, StreamName]
    const id = undatedId(name)
    await appended(store, [commitOf(second, 1)])
    const failure = leftOf(
      await store.appendTogether([markedCommit(first, 1, id), commitOf(second, 1), commitOf(third, 1)])(),
    )
    same(failure, { _tag: 'Conflict', stream: second }, 'whose place was taken')
    same(await held(store, streams), [[], [1], []], 'nothing but what was there')
    same(rightOf(await store.marker(first, id)()) ?? null, null, 'no marker')
  },
  'where one stream has a marker for an id nothing of any is stored': async (store, name) => {
    const [first, second] = namedEach(name, 2) as [StreamName, StreamName]
    const id = undatedId(name)
    await appended(store, [markedCommit(second, 1, id)])
    const failure = leftOf(await store.appendTogether([commitOf(first, 1), markedCommit(second, 2, id)])())
    same(failure, { _tag: 'Marked', stream: second, commandId: id, commit: 1 }, 'where it was answered')
    same(await held(store, [first, second]), [[], [1]], 'nothing else')
  },
  'streams that must not have moved are written nothing, and where one has, nothing is stored': async (
    store,
    name,
  ) => {
    const streams = namedEach(name, 3)
    const [written, still, empty] = streams as [StreamName, StreamName, StreamName]
    await appended(store, history(still, 2))
    const unmoved = (commit: number) => [
      { stream: still, commit },
      { stream: empty, commit: 0 },
    ]
    const moved = leftOf(await store.appendTogether([commitOf(written, 1)], unmoved(1))())
    same(moved, { _tag: 'Conflict', stream: still }, 'which one has moved')
    same(await held(store, streams), [[], [1, 2], []], 'nothing')
    rightOf(await store.appendTogether([commitOf(written, 1)], unmoved(2))())
    same(await held(store, streams), [[1], [1, 2], []], 'the one commit')
    await appended(store, [commitOf(empty, 1)])
    const begun = leftOf(await store.appendTogether([commitOf(written, 2)], unmoved(2))())
    same(begun, { _tag: 'Conflict', stream: empty }, 'which one has begun')
  },
  'of transactions that overlap and race exactly one is stored, whole, and nothing of the others': async (
    store,
    name,
  ) => {
    const [shared, ...own] = namedEach(name, 7) as [StreamName, ...Array<StreamName>]
    const rivals = own.map((stream, at) => [
      ...(at % 2 === 0 ? firsts([shared, stream]) : firsts([stream, shared])),
    ])
    const outcomes = await Promise.all(rivals.map((commits) => store.appendTogether(commits)()))
    const winners = own.filter((_, at) => outcomes[at]?._tag === 'Right')
    same(winners.length, 1, 'one winner')
    for (const outcome of outcomes)
      if (E.isLeft(outcome)) same(outcome.left, { _tag: 'Conflict', stream: shared }, 'the others')
    const expected = own.map((stream) => (winners.includes(stream) ? [1] : []))
    same(await held(store, own), expected, 'of the winner only')
  },
  'of two who each write the stream that the other needs unmoved at most one stores': async (store, name) => {
    const [one, other] = namedEach(name, 2) as [StreamName, StreamName]
    const outcomes = await Promise.all([
      store.appendTogether([commitOf(one, 1)], [{ stream: other, commit: 0 }])(),
      store.appendTogether([commitOf(other, 1)], [{ stream: one, commit: 0 }])(),
    ])
    same(outcomes.filter(E.isRight).length, 1, 'one winner')
  },
  'the same transaction again changes nothing': async (store, name) => {
    const streams = namedEach(name, 2)
    rightOf(await store.appendTogether(firsts(streams))())
    const again = await store.appendTogether(firsts(streams))()
    // A store may know its own commits in their places, where a repeat of its client has put them.
    if (E.isLeft(again)) same(again.left._tag, 'Conflict', 'one’s own places')
    same(await held(store, streams), [[1], [1]], 'once')
  },
  'two commits of one stream are no transaction': async (store, name) => {
    const [one, other] = namedEach(name, 2) as [StreamName, StreamName]
    const twice = [commitOf(one, 1), commitOf(other, 1), commitOf(one, 2)]
    same(leftOf(await store.appendTogether(twice)()), { _tag: 'StreamTwice', stream: one }, 'refused')
    const still = [{ stream: one, commit: 0 }]
    const both = leftOf(await store.appendTogether([commitOf(one, 1)], still)())
    same(both, { _tag: 'StreamTwice', stream: one }, 'nor is one that must not move')
    same(await held(store, [one, other]), [[], []], 'nothing')
  },
  'a hundred actions are stored, and one more is refused': async (store, name) => {
    const streams = namedEach(name, 100)
    const [first, ...rest] = firsts(streams) as [Commit, ...Array<Commit>]
    const marked = markedCommit(first.stream, 1, undatedId(name))
    const tooMany = leftOf(await store.appendTogether([marked, ...rest])())
    same(tooMany, { _tag: 'TooMany', actions: 101, limitActions: 100 }, 'a hundred commits and a marker')
    same((await held(store, streams)).flat(), [], 'nothing')
    rightOf(await store.appendTogether([first, ...rest])())
    same((await held(store, streams)).flat(), Array<number>(100).fill(1), 'all')
  },
  'a transaction is stored whole or refused as too large': async (store, name) => {
    const streams = namedEach(name, 15)
    const padding = 'x'.repeat(300_000)
    const commits = streams.map((stream) => commitOf(stream, 1, [answerOf(idOf(stream), 1, padding)]))
    const outcome = await store.appendTogether(commits)()
    if (E.isLeft(outcome)) {
      const { left } = outcome
      if (left._tag !== 'TooLarge') throw new Error(`should be too large, is ${left._tag}`)
      holds(left.sizeBytes > left.limitBytes, 'the size is beyond the limit')
    }
    const expected = streams.map(() => (E.isLeft(outcome) ? [] : [1]))
    same(await held(store, streams), expected, 'all of it, or nothing')
  },
}

/** Does as a careless caller would; an attempt that throws has changed nothing. */
const spoil = (commit: Commit | undefined): void => {
  const careless = commit as unknown as {
    version: number
    answers: Array<{ events: Array<Record<string, unknown>> }>
  }
  for (const attempt of [
    () => (careless.version = 99),
    () => careless.answers.pop(),
    () => careless.answers[0]?.events.push({ _tag: 'Forged' }),
    () => Object.assign(careless.answers[0]?.events[0] ?? {}, { index: 99 }),
  ])
    try {
      attempt()
    } catch {
      continue
    }
}

const keeping: Bodies = {
  'whoever holds a commit, written or read, cannot change history': async (store, name) => {
    const stream = named(name)
    const [given, expected] = [commitOf(stream, 1), commitOf(stream, 1)]
    await appended(store, [given])
    spoil(given)
    const [read] = await readAll(store, stream)
    same(read, expected, 'as it was appended')
    spoil(read)
    same(await readAll(store, stream), [expected], 'as it was appended, still')
    holds(sizeBytes(expected) > 0, 'it has a size')
  },
}
