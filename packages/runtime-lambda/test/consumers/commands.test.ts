import {
  type AnyAggregate,
  type Commit,
  deriveId,
  E,
  type EventStore,
  envelope,
  execute,
  hear,
  type Message,
  messageOf,
  outbox,
  type Process,
  processAggregate,
  type StoredEvent,
  streamParts,
  unavailable,
} from '@everfold/core'
import { plainStore } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { commandConsumer } from '../../src/consumers/commands.ts'
import { MalformedEvent } from '../../src/consumers/malformed-event.ts'
import type { DeadLetter, DeadLetters } from '../../src/dead-letters.ts'
import { claimLetterOf, letterOf } from '../../src/letter.ts'
import { instantClock } from '../instant-clock.ts'
import { aggregate, command, count, dispatch, TIME_MS, tally } from '../tally.ts'
import { sqsEvent, sqsRecord } from './sqs-event.ts'

const aggregates = new Map([[aggregate.name, aggregate as unknown as AnyAggregate]])

/** What goes wrong at a port, call by call: nothing, before it does anything, or after. */
type Trouble = 'none' | 'before' | 'after'
const aTrouble = fc.constantFrom<Trouble>('none', 'none', 'before', 'after')

interface Desk {
  readonly consume: (event: unknown) => Promise<ReadonlyArray<string>>
  readonly commits: () => ReadonlyArray<Commit>
  readonly dead: ReadonlyArray<DeadLetter>
}

interface DeskOptions {
  readonly appends?: ReadonlyArray<Trouble>
  readonly reads?: ReadonlyArray<Trouble>
  readonly burials?: ReadonlyArray<Trouble>
  readonly groupLimit?: number
}

/** A consumer over a store and dead letters that meet these troubles, one after the other; then none any more. */
const desk = ({ appends = [], reads = [], burials = [], ...options }: DeskOptions = {}): Desk => {
  const plain = plainStore()
  const coming = { appends: [...appends], reads: [...reads], burials: [...burials] }
  const store: EventStore = {
    ...plain,
    readBackward: (stream, page) => async () =>
      coming.reads.shift() === 'before' ? E.left(unavailable('the log')) : plain.readBackward(stream, page)(),
    append: (commit) => async () => {
      const trouble = coming.appends.shift()
      if (trouble === 'before') return E.left({ _tag: 'OutcomeUnknown' })
      const outcome = await plain.append(commit)()
      return trouble === 'after' ? E.left({ _tag: 'OutcomeUnknown' }) : outcome
    },
  }
  const dead: Array<DeadLetter> = []
  const deadLetters: DeadLetters = {
    send: (letter) => async () => {
      const trouble = coming.burials.shift()
      if (trouble !== 'before') dead.push(letter)
      return trouble === 'before' || trouble === 'after'
        ? E.left(unavailable('the grave'))
        : E.right(undefined)
    },
  }
  const ports = { store, clock: instantClock(TIME_MS) }
  const consume = commandConsumer({ ...options, aggregates, ports, deadLetters, execute: { attempts: 2 } })
  return {
    consume: async (event) => {
      const { batchItemFailures } = await consume(event)
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
    },
    commits: plain.commits,
    dead,
  }
}

const notesOf = (commits: ReadonlyArray<Commit>, id: string): ReadonlyArray<unknown> =>
  commits
    .filter(({ stream }) => stream === tally(id))
    .flatMap(({ answers }) => answers.flatMap(({ events }) => events))
    .map(({ note }: StoredEvent) => note)

describe('what waits together', () => {
  test('for one stream is decided as one commit, in its order', async () => {
    const { consume, commits } = desk()
    const notes = Array.from({ length: 10 }, (_, at) => `${at}`)
    expect(await consume(sqsEvent(notes.map((note) => count('a', note))))).toEqual([])
    expect(commits()).toHaveLength(1)
    expect(notesOf(commits(), 'a')).toEqual(notes)
  })

  test('for several streams is a commit of each; more than the limit is several', async () => {
    const { consume, commits } = desk({ groupLimit: 2 })
    const messages = ['a', 'b', 'a', 'c', 'a'].map((id, at) => count(id, `${at}`))
    expect(await consume(sqsEvent(messages))).toEqual([])
    expect(
      commits()
        .map(({ stream, answers }) => `${stream}: ${answers.length}`)
        .toSorted(),
    ).toEqual(['tally/a: 1', 'tally/a: 2', 'tally/b: 1', 'tally/c: 1'])
  })

  test('for one stream is cut by its bytes, where only one that is larger alone goes beyond them', async () => {
    const { consume, commits } = desk()
    const kilobytes = [100, 150, 100, 100, 500, 1, 1]
    const notes = kilobytes.map((size, at) => `${at}`.padEnd(size * 1024, 'x'))
    expect(await consume(sqsEvent(notes.map((note) => count('a', note))))).toEqual([])
    expect(commits().map(({ answers }) => answers.length)).toEqual([3, 1, 1, 2])
    expect(notesOf(commits(), 'a')).toEqual(notes)
  })

  test('is on record once however often it comes', async () => {
    const { consume, commits } = desk()
    const event = sqsEvent([count('a', '1'), count('a', '2'), count('a', '1')])
    for (let delivery = 0; delivery < 3; delivery += 1) expect(await consume(event)).toEqual([])
    expect(notesOf(commits(), 'a')).toEqual(['1', '2'])
  })
})

test('where no claim check is configured a message that needs one comes again, is not buried, and nothing overtakes it', async () => {
  const { consume, commits, dead } = desk()
  const [first, second] = [count('a', '1'), count('a', '2')]
  const claimed = sqsRecord('claimed', claimLetterOf(first, 'somewhere'), first.group)
  const behind = sqsRecord('behind', letterOf(second), second.group)
  expect(await consume({ Records: [claimed, behind] })).toEqual(['claimed', 'behind'])
  expect({ dead, commits: commits() }).toEqual({ dead: [], commits: [] })
})

const COMMANDS = 12
const aQueue = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('note', 'note', 'poison')), {
  minLength: 1,
  maxLength: COMMANDS,
})

const messageAt = ([id, kind]: readonly [string, string], at: number): Message => {
  const message = count(id, `${at}`)
  return kind === 'poison' ? { ...message, body: { poison: at } } : message
}

describe('whatever goes wrong', () => {
  property.prop([aQueue, fc.array(aTrouble), fc.array(aTrouble), fc.array(aTrouble)])(
    'each command is on record once and in its order, each poison is buried, and nothing overtakes',
    async (queue, appends, reads, burials) => {
      const { consume, commits, dead } = desk({ appends, reads, burials })
      let waiting = queue.map(messageAt)
      for (let round = 0; waiting.length > 0; round += 1) {
        expect(round).toBeLessThan(100)
        const batch = waiting.slice(0, 10)
        const failed = new Set(await consume(sqsEvent(batch)))
        const left = batch.filter((_, at) => failed.has(`m-${at}`))
        for (const group of new Set(batch.map((message) => message.group))) {
          const ours = batch.filter((message) => message.group === group)
          const again = left.filter((message) => message.group === group)
          expect(again).toEqual(ours.slice(ours.length - again.length))
        }
        waiting = [...left, ...waiting.slice(10)]
      }
      for (const id of ['a', 'b', 'c']) {
        const sent = queue.flatMap(([to, kind], at) => (to === id && kind === 'note' ? [`${at}`] : []))
        expect(notesOf(commits(), id)).toEqual(sent)
      }
      const poison = queue.flatMap(([, kind], at) => (kind === 'poison' ? [at] : []))
      const buried = dead.map(({ body }) => (JSON.parse(body) as { body: { poison: number } }).body.poison)
      expect([...new Set(buried)].toSorted((one, other) => one - other)).toEqual(poison)
    },
  )

  test('a fault of one stream holds up no other', async () => {
    const { consume, commits } = desk({ reads: ['before'] })
    expect(await consume(sqsEvent([count('a', '1'), count('b', '2'), count('a', '3')]))).toEqual([
      'm-0',
      'm-2',
    ])
    expect(commits().map(({ stream }) => stream)).toEqual(['tally/b'])
  })

  test('a decider that throws loses its own command only', async () => {
    const { consume, commits, dead } = desk()
    const notes = ['1', '2', 'bomb', '3', '4']
    expect(await consume(sqsEvent(notes.map((note) => count('a', note))))).toEqual([])
    expect(notesOf(commits(), 'a')).toEqual(['1', '2', '3', '4'])
    expect(dead.map(({ id, reason }) => [id, String(reason)])).toEqual([
      ['m-2', 'Error: a decider that is not total'],
    ])
  })
})

const pointed = (pointer: string) => ({
  _tag: 'InvalidInput',
  errors: [expect.objectContaining({ pointer })],
})

describe('a dead letter at once', () => {
  const stale = messageOf({
    ...dispatch('a', command('Count', 'late')),
    envelope: envelope(command('Count', 'late'), {
      id: deriveId(TIME_MS - 36 * 24 * 3_600_000, 'late'),
      timeMs: TIME_MS,
    }),
  })
  const { id, group } = count('a', '1')
  test.each([
    ['a body that is no dispatch', { id, group, body: 7 }, pointed('')],
    [
      'an aggregate that is not here',
      { id, group, body: { ...dispatchBody(), stream: 'other/a' } },
      pointed('/stream'),
    ],
    [
      'a command that does not decode',
      {
        id,
        group,
        body: { ...dispatchBody(), envelope: { ...dispatchBody().envelope, command: { _tag: 'Fly' } } },
      },
      pointed('/envelope/command/_tag'),
    ],
    ['an id that is too old', stale, { _tag: 'IdTooOld' }],
  ] as const)('is %s, and what is behind it goes on', async (_what, message, reason) => {
    const { consume, commits, dead } = desk()
    expect(await consume(sqsEvent([message as unknown as Message, count('a', '2')]))).toEqual([])
    expect(dead).toMatchObject([{ id: 'm-0', group: 'tally/a', reason }])
    expect(dead[0]?.body).toBe(letterOf(message as unknown as Message))
    expect(notesOf(commits(), 'a')).toEqual(['2'])
  })

  test('is an id that names another payload', async () => {
    const { consume, dead } = desk()
    const other = dispatch('a', command('Count', '2'))
    const forged = messageOf({
      ...other,
      envelope: { ...other.envelope, id: dispatch('a', command('Count', '1')).envelope.id },
    })
    expect(await consume(sqsEvent([count('a', '1')]))).toEqual([])
    expect(await consume(sqsEvent([forged]))).toEqual([])
    expect(dead).toMatchObject([{ reason: { _tag: 'IdReused' } }])
  })
})

function dispatchBody() {
  return count('a', '1').body as { readonly envelope: object }
}

// Malformed events

type Path = ReadonlyArray<string | number>

const pathsOf = (value: unknown, at: Path = []): ReadonlyArray<Path> => {
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return [
    at,
    ...fields.flatMap(([key, field]) => pathsOf(field, [...at, Array.isArray(value) ? Number(key) : key])),
  ]
}

/** The value with what lies at the path replaced, or left out. */
const altered = (value: unknown, [first, ...rest]: Path, replacement: unknown): unknown => {
  if (first === undefined) return replacement
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >
  const field = altered(copy[first], rest, replacement)
  if (field === undefined && !Array.isArray(copy)) delete copy[first]
  else copy[first] = field
  return copy
}

const real = sqsEvent(['a', 'b', 'a'].map((id, at) => count(id, `${at}`)))
const anAlteration = fc.tuple(
  fc.constantFrom(...pathsOf(real)),
  fc.oneof(
    fc.constant(undefined),
    fc.jsonValue(),
    fc.constantFrom('', '{}', '[]', 'null', '{"id":1}', [], {}, [null]),
  ),
)

describe('an event that is malformed', () => {
  property.prop(
    [fc.array(anAlteration, { minLength: 1, maxLength: 3 }), fc.array(aTrouble, { maxLength: 3 })],
    {
      numRuns: 300,
    },
  )(
    'gives an error with its path, or each of its records is on record, dead or to come again',
    async (alterations, burials) => {
      let event: unknown = real
      for (const [path, replacement] of alterations)
        if (pathsOf(event).some((one) => one.join('/') === path.join('/')))
          event = altered(event, path, replacement)
      const { consume, commits, dead } = desk({ burials })
      let failed: ReadonlyArray<string>
      try {
        failed = await consume(event)
      } catch (error) {
        if (!(error instanceof MalformedEvent)) throw error
        expect(error.errors.length).toBeGreaterThan(0)
        for (const { pointer } of error.errors)
          expect(pointer).toMatch(/^\/Records(\/\d+\/(messageId|body))?$/)
        return
      }
      const { Records: records } = event as { readonly Records: ReadonlyArray<unknown> }
      const answers = commits().reduce((sum, commit) => sum + commit.answers.length, 0)
      expect(answers + dead.length + failed.length).toBeGreaterThanOrEqual(
        new Set(records.map(contentOf)).size,
      )
      const names = records.map((record) => (record as { messageId?: unknown } | null)?.messageId)
      for (const name of failed) expect(names).toContain(name)
    },
  )

  test.each([
    [undefined, '/Records'],
    [{}, '/Records'],
    [{ Records: 'none' }, '/Records'],
    [{ Records: [] }, '/Records'],
  ])('%j is refused at %s', async (event, pointer) => {
    await expect(desk().consume(event)).rejects.toMatchObject({ errors: [{ pointer }] })
  })

  test('a record without a name is buried whole; where it cannot be, the event is refused after the others', async () => {
    const nameless = { ...sqsRecord('', letterOf(count('a', '1')), 'tally/a'), messageId: undefined }
    const event = { Records: [nameless, ...sqsEvent([count('b', '2')]).Records] }
    const calm = desk()
    expect(await calm.consume(event)).toEqual([])
    expect(calm.dead.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      JSON.parse(JSON.stringify(nameless)),
    ])
    const stormy = desk({ burials: ['before'] })
    await expect(stormy.consume(event)).rejects.toMatchObject({
      errors: [{ pointer: '/Records/0/messageId' }],
    })
    expect(notesOf(stormy.commits(), 'b')).toEqual(['2'])
  })
})

const contentOf = (record: unknown): unknown => (record as { readonly body?: unknown } | null)?.body

/** Hears of every count. */
const listenerOf = (heard: typeof aggregate): Process<null, unknown, never> => ({
  name: 'listener',
  hears: [hear(heard, ({ stream }) => streamParts(stream).id)],
  asks: [],
  initial: null,
  evolve: () => null,
  react: () => [],
})

test('what newer code sent waits for newer code, with all that is behind it, and is no dead letter', async () => {
  const newer: typeof aggregate = { ...aggregate, upcasters: { Counted: [(event) => event] } }
  const store = plainStore()
  const ports = { store, clock: instantClock(TIME_MS) }
  const sent = dispatch('a', command('Count', '1'))
  await execute(newer, ports)(sent.stream, [sent.envelope as never])()
  const parts = { aggregates: [newer as unknown as AnyAggregate], processes: [listenerOf(newer)] }
  const asked = outbox({ name: 'tallies', projections: [], gateways: [], routes: [], ...parts })
  const [told] = store.commits().flatMap((commit) => {
    const deliveries = asked(commit)
    return E.isRight(deliveries) ? deliveries.right : []
  })
  if (told?._tag !== 'Dispatch') throw new Error('the process is told of what was counted')
  const old = processAggregate(listenerOf(aggregate)) as AnyAggregate
  const dead: Array<DeadLetter> = []
  const consume = commandConsumer({
    aggregates: new Map([[old.name, old]]),
    ports,
    deadLetters: { send: (letter) => async () => E.right(void dead.push(letter)) },
  })
  const messages = [messageOf(told), { ...messageOf(told), id: 'behind' }]
  const { batchItemFailures } = await consume(sqsEvent(messages))
  expect(batchItemFailures).toHaveLength(2)
  expect(dead).toEqual([])
})
