import {
  type CommandId,
  deriveId,
  E,
  type Envelope,
  envelope,
  type StreamName,
  streamName,
  unavailable,
} from '@everfold/core'
import { virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type AnySettled, type ExecuteGroup, mailboxes } from '../src/mailbox.ts'

const letter = (name: string): Envelope<unknown> => envelope(name, { id: deriveId(0, name), timeMs: 0 })
const answerTo = (commandId: CommandId): AnySettled =>
  E.right({
    commandId,
    position: { stream: streamName('box', 'any'), commit: 1 },
    outcome: E.right([]),
    timeMs: 0,
    replayed: false,
  })

/** What a member does to its group: answered, met by a fault, or thrown out. */
type Fate = 'answered' | 'fault' | 'throws'

interface Arrival {
  readonly box: number
  readonly atMs: number
  readonly fate: Fate
}

const anyArrivals = fc.array(
  fc.record({
    box: fc.nat({ max: 2 }),
    atMs: fc.nat({ max: 12 }),
    fate: fc.constantFrom<Fate>('answered', 'answered', 'answered', 'answered', 'fault', 'throws'),
  }),
  { maxLength: 40 },
)

interface Group {
  readonly stream: StreamName
  readonly members: ReadonlyArray<string>
}

/** Sends each at its turn to a handler that takes its time, and tells what each was answered. */
const correspond = async (arrivals: ReadonlyArray<Arrival>, limit: number, seed: number) => {
  const kernel = virtualKernel({ seed })
  const groups: Array<Group> = []
  const working = new Set<StreamName>()
  const arrived: Array<string> = []
  const execute: ExecuteGroup = (stream, group) => async () => {
    const members = group.map(({ command }) => command as string)
    groups.push({ stream, members })
    expect(working.has(stream)).toBe(false)
    working.add(stream)
    await kernel.sleep(kernel.random() * 5)
    working.delete(stream)
    const fates = new Set(members.map((name) => arrivals[Number(name)]?.fate))
    if (fates.has('throws')) throw new Error(members.join())
    return fates.has('fault')
      ? E.left(unavailable(members.join()))
      : E.right(group.map(({ id }) => answerTo(id)))
  }
  const post = mailboxes(limit)
  const send = async ({ box, atMs }: Arrival, at: number) => {
    await kernel.sleep(atMs)
    arrived.push(`${at}`)
    return post(execute, streamName('box', `${box}`), letter(`${at}`)).catch((broken: unknown) => broken)
  }
  const answers = await kernel.run(() => Promise.all(arrivals.map(send)))
  return { groups, arrived, answers }
}

describe('whatever is sent', () => {
  property.prop([anyArrivals, fc.integer({ min: 1, max: 5 }), fc.nat()])(
    'every command sent gets exactly one answer, in whatever turns they come',
    async (arrivals, limit, seed) => {
      const { groups, answers } = await correspond(arrivals, limit, seed)
      expect(
        groups
          .flatMap(({ members }) => members)
          .map(Number)
          .toSorted((a, b) => a - b),
      ).toEqual([...arrivals.keys()])
      for (const [at, answer] of answers.entries()) {
        const group = groups.find(({ members }) => members.includes(`${at}`))
        const fates = group?.members.map((name) => arrivals[Number(name)]?.fate)
        if (fates?.includes('throws') === true) expect(answer).toEqual(new Error(group?.members.join()))
        else if (fates?.includes('fault') === true)
          expect(answer).toEqual(E.left(unavailable(group?.members.join() ?? '')))
        else expect(answer).toEqual(E.right(answerTo(deriveId(0, `${at}`))))
      }
    },
  )
  property.prop([anyArrivals, fc.integer({ min: 1, max: 5 }), fc.nat()])(
    'a group is of one stream, within the limit and in the order in which they came',
    async (arrivals, limit, seed) => {
      const { groups, arrived } = await correspond(arrivals, limit, seed)
      expect(Math.max(0, ...groups.map(({ members }) => members.length))).toBeLessThanOrEqual(limit)
      for (const box of [0, 1, 2]) {
        const stream = streamName('box', `${box}`)
        const members = groups.filter((group) => group.stream === stream).flatMap((group) => group.members)
        expect(members).toEqual(arrived.filter((name) => arrivals[Number(name)]?.box === box))
      }
    },
  )
})

test('those who come in one turn are decided together, and those who come meanwhile after them', async () => {
  const sizes: Array<number> = []
  const execute: ExecuteGroup = (_stream, group) => async () => {
    sizes.push(group.length)
    return E.right(group.map(({ id }) => answerTo(id)))
  }
  const post = mailboxes(100)
  await Promise.all(
    Array.from({ length: 250 }, (_, at) => post(execute, streamName('box', '1'), letter(`${at}`))),
  )
  expect(sizes).toEqual([100, 100, 50])
})

const never: ExecuteGroup = () => () => new Promise(() => undefined)

test('a stream that is never answered holds up no other', async () => {
  const post = mailboxes(100)
  const promptly: ExecuteGroup = (_stream, group) => async () => E.right(group.map(({ id }) => answerTo(id)))
  void post(never, streamName('box', '1'), letter('1'))
  const id = deriveId(0, '2')
  expect(await post(promptly, streamName('box', '2'), letter('2'))).toEqual(E.right(answerTo(id)))
})
