/** What every queue must do. */
import type { Message, Queue, Received } from '../ports/queue.ts'
import { eventually, holds, rightOf, type Suite, same, suite, type Time } from './suite.ts'

export interface QueueHarness extends Time {
  /** Empty, and read by nobody else. */
  readonly queue: Queue
  /** How long what was received stays hidden. */
  readonly visibilityMs: number
}

const messageOf = (group: string, id: string): Message => ({ id: `${group}-${id}`, group, body: { id } })

const received = async ({ queue }: QueueHarness, limit = 10): Promise<ReadonlyArray<Received>> => {
  const messages = rightOf(await queue.receive(limit)())
  holds(messages.length <= limit, `at most ${limit} messages`)
  return messages
}

/** The next batch that is not empty. */
const batch = (harness: QueueHarness, limit = 10): Promise<ReadonlyArray<Received>> =>
  eventually(harness, 'a message', async () => {
    const messages = await received(harness, limit)
    return messages.length === 0 ? undefined : messages
  })

const settle = async ({ queue }: QueueHarness, messages: ReadonlyArray<Received>): Promise<void> => {
  rightOf(await queue.delete(messages.map(({ receipt }) => receipt))())
}

const ids = (messages: ReadonlyArray<Message>): ReadonlyArray<string> => messages.map(({ id }) => id)

/** `run` tells this run's messages from those of others. */
export const queueSuite = (make: () => Promise<QueueHarness>, run: string = 'run'): Suite =>
  suite(make, run, {
    'messages of a group come in the order they were sent': async (harness, name) => {
      const sent = Array.from({ length: 12 }, (_, at) => messageOf(name, `${at}`))
      rightOf(await harness.queue.send(sent.slice(0, 5))())
      rightOf(await harness.queue.send(sent.slice(5))())
      const got: Array<Received> = []
      while (got.length < sent.length) {
        const messages = await batch(harness, 5)
        got.push(...messages)
        await settle(harness, messages)
      }
      same(ids(got), ids(sent), 'the order')
      same(
        got.map(({ body }) => body),
        sent.map(({ body }) => body),
        'the bodies',
      )
      holds(
        got.every(({ deliveries }) => deliveries === 1),
        'each was received once',
      )
    },
    'no second batch of a group is out while one is': async (harness, name) => {
      rightOf(await harness.queue.send(['1', '2', '3'].map((id) => messageOf(name, id)))())
      const first = await batch(harness, 1)
      same(await received(harness), [], 'the group is locked')
      rightOf(await harness.queue.send([messageOf(name, '4')])())
      same(await received(harness), [], 'for new messages too')
      await settle(harness, first)
      const rest = await batch(harness)
      same(ids(rest)[0], `${name}-2`, 'the next one')
    },
    'groups do not wait for each other': async (harness, name) => {
      for (const group of ['a', 'b', 'c'])
        rightOf(await harness.queue.send([messageOf(name + group, '1'), messageOf(name + group, '2')])())
      const out = new Set<string>()
      while (out.size < 3) {
        const messages = await batch(harness, 1)
        for (const { group } of messages) {
          holds(!out.has(group), `${group} is locked`)
          out.add(group)
        }
      }
    },
    'what is not deleted within the visibility timeout comes again, in its order': async (harness, name) => {
      rightOf(await harness.queue.send(['1', '2', '3'].map((id) => messageOf(name, id)))())
      const first = await batch(harness, 2)
      await settle(harness, first.slice(1))
      await harness.advance(harness.visibilityMs + 1000)
      const again = await batch(harness, 1)
      same(ids(again), [`${name}-1`], 'the oldest that is left')
      same(again[0]?.deliveries, 2, 'its second delivery')
      await settle(harness, again)
      // A batch may be shorter than asked, and the second message is then the next one.
      same(ids(await batch(harness, 1)), [`${name}-${first.length + 1}`], 'then the next one')
    },
    'a released message comes again at once': async (harness, name) => {
      rightOf(await harness.queue.send(['1', '2'].map((id) => messageOf(name, id)))())
      const first = await batch(harness, 1)
      rightOf(await harness.queue.release(first.map(({ receipt }) => receipt))())
      const again = await received(harness, 1)
      same(ids(again), [`${name}-1`], 'the same message')
      same(again[0]?.deliveries, 2, 'its second delivery')
    },
    'a deleted message never comes again': async (harness, name) => {
      rightOf(await harness.queue.send([messageOf(name, '1')])())
      await settle(harness, await batch(harness))
      await harness.advance(harness.visibilityMs + 1000)
      same(await received(harness), [], 'nothing')
    },
    'the same id within the window is the same message': async (harness, name) => {
      rightOf(await harness.queue.send([messageOf(name, '1'), messageOf(name, '1')])())
      rightOf(await harness.queue.send([messageOf(name, '1')])())
      const messages = await batch(harness)
      same(ids(messages), [`${name}-1`], 'one message')
      await settle(harness, messages)
      rightOf(await harness.queue.send([messageOf(name, '1')])())
      same(await received(harness), [], 'also after it was deleted')
    },
    'a receipt from before a redelivery settles nothing': async (harness, name) => {
      rightOf(await harness.queue.send([messageOf(name, '1')])())
      const old = await batch(harness)
      await harness.advance(harness.visibilityMs + 1000)
      const fresh = await batch(harness)
      await harness.queue.delete(old.map(({ receipt }) => receipt))()
      await harness.queue.release(old.map(({ receipt }) => receipt))()
      same(await received(harness), [], 'it is still with the second reader')
      await harness.advance(harness.visibilityMs + 1000)
      same(ids(await batch(harness)), ids(fresh), 'and comes again')
    },
    'everything sent comes, each group in order, whatever is released, forgotten or deleted': shuffled,
  })

/** A fixed script of odd choices, so that every implementation is asked the same. */
const shuffled = async (harness: QueueHarness, name: string): Promise<void> => {
  const groups = Array.from({ length: 4 }, (_, group) => `${name}-${group}`)
  const sent = groups.map((group) => Array.from({ length: 6 }, (_, at) => messageOf(group, `${at}`)))
  for (let at = 0; at < 6; at += 1)
    rightOf(await harness.queue.send(sent.flatMap((messages) => messages.slice(at, at + 1)))())
  const settled = new Map<string, Array<string>>(groups.map((group) => [group, []]))
  let choice = 7
  for (let left = 24; left > 0; ) {
    const messages = await batch(harness, 3)
    for (const group of new Set(messages.map((message) => message.group))) {
      choice = (choice * 29 + 11) % 64
      const ours = messages.filter((message) => message.group === group)
      const done = ours.slice(0, choice % (ours.length + 1))
      await settle(harness, done)
      settled.get(group)?.push(...ids(done))
      left -= done.length
      const rest = ours.slice(done.length).map(({ receipt }) => receipt)
      if (choice % 3 !== 0) rightOf(await harness.queue.release(rest)())
    }
    if (choice % 5 === 0) await harness.advance(harness.visibilityMs + 1000)
  }
  same([...settled.values()], sent.map(ids), 'each group’s messages, in order')
}
