/**
 * A queue in memory, as SQS FIFO has them: order within a group, a group locked while a batch of it is in flight.
 *
 * An id is known for five minutes from its sending, also after the message was deleted. A receipt ends with its
 * visibility timeout: settling by an old one does nothing, and the message comes again.
 */
import { E, type Message, type Queue, type Received } from '@everfold/core'
import { failuresOf } from './failing.ts'
import { freeze } from './frozen.ts'
import type { Kernel } from './kernel.ts'
import { type Subscribers, subscribers } from './subscribers.ts'

export interface QueueOptions {
  readonly name?: string
  /** How long received messages stay hidden: 30 s unless told. */
  readonly visibilityMs?: number
  /** Told of every message that is taken in; not of one whose id is known. */
  readonly sent?: (message: Message) => void
}

export interface MemoryQueue extends Queue {
  /** Messages sent and not deleted. */
  size(this: void): number
  /** Tells of every sending and release. */
  readonly subscribe: Subscribers['subscribe']
}

const DEDUPLICATION_MS = 5 * 60_000

interface Entry {
  readonly message: Message
  deliveries: number
  receipt: string
  hiddenUntilMs: number
}

/** A group's messages, oldest first. */
type Group = Array<Entry>

interface State {
  readonly groups: Map<string, Group>
  readonly receipts: Map<string, Entry>
  /** When each id was first sent, oldest first. */
  readonly sentMs: Map<string, number>
  receipted: number
}

export const memoryQueue = (kernel: Kernel, options: QueueOptions = {}): MemoryQueue => {
  const { name = 'queue', visibilityMs = 30_000 } = options
  const perform = kernel.port(name)
  const { writing } = failuresOf(`the queue ${name}`)
  const state: State = { groups: new Map(), receipts: new Map(), sentMs: new Map(), receipted: 0 }
  const { subscribe, tell } = subscribers()
  return {
    send: (messages) => () =>
      perform(
        'send',
        messages.map(({ id }) => id).join(' '),
        () => {
          for (const message of messages) if (send(state, message, kernel.nowMs())) options.sent?.(message)
          tell()
          return E.right(undefined)
        },
        writing,
      ),
    receive: (limit) => () =>
      perform(
        'receive',
        String(limit),
        () => E.right(receive(state, limit, kernel.nowMs(), kernel.nowMs() + visibilityMs)),
        writing,
      ),
    delete: (receipts) => () =>
      perform(
        'delete',
        receipts.join(' '),
        () => {
          for (const entry of held(state, receipts, kernel.nowMs())) remove(state, entry)
          return E.right(undefined)
        },
        writing,
      ),
    release: (receipts) => () =>
      perform(
        'release',
        receipts.join(' '),
        () => {
          for (const entry of held(state, receipts, kernel.nowMs())) entry.hiddenUntilMs = 0
          tell()
          return E.right(undefined)
        },
        writing,
      ),
    size: () => {
      let size = 0
      for (const group of state.groups.values()) size += group.length
      return size
    },
    subscribe,
  }
}

/** Whether it is a new one. */
const send = ({ groups, sentMs }: State, message: Message, nowMs: number): boolean => {
  for (const [id, firstMs] of sentMs) {
    if (firstMs + DEDUPLICATION_MS > nowMs) break
    sentMs.delete(id)
  }
  if (sentMs.has(message.id)) return false
  sentMs.set(message.id, nowMs)
  freeze(message)
  const entry: Entry = { message, deliveries: 0, receipt: '', hiddenUntilMs: 0 }
  const group = groups.get(message.group)
  if (group === undefined) groups.set(message.group, [entry])
  else group.push(entry)
  return true
}

const receive = (
  state: State,
  limit: number,
  nowMs: number,
  hiddenUntilMs: number,
): ReadonlyArray<Received> => {
  const received: Array<Received> = []
  for (const name of served(state, limit, nowMs)) {
    const group = state.groups.get(name) ?? []
    for (const entry of group.slice(0, limit - received.length)) {
      state.receipts.delete(entry.receipt)
      state.receipted += 1
      entry.deliveries += 1
      entry.receipt = `${entry.message.id}/${state.receipted}`
      entry.hiddenUntilMs = hiddenUntilMs
      state.receipts.set(entry.receipt, entry)
      received.push({ ...entry.message, receipt: entry.receipt, deliveries: entry.deliveries })
    }
    // Behind the others, so that no busy group keeps them waiting.
    state.groups.delete(name)
    state.groups.set(name, group)
  }
  return received
}

/** The groups that are not locked, as many as fill a batch. */
const served = ({ groups }: State, limit: number, nowMs: number): ReadonlyArray<string> => {
  const names: Array<string> = []
  let filled = 0
  for (const [name, group] of groups) {
    if (filled >= limit) break
    if (group.some((entry) => entry.hiddenUntilMs > nowMs)) continue
    names.push(name)
    filled += group.length
  }
  return names
}

/** The messages whose receipts still hold. */
const held = ({ receipts }: State, given: ReadonlyArray<string>, nowMs: number): ReadonlyArray<Entry> =>
  given.flatMap((receipt) => {
    const entry = receipts.get(receipt)
    return entry === undefined || entry.hiddenUntilMs <= nowMs ? [] : [entry]
  })

const remove = ({ groups, receipts }: State, entry: Entry): void => {
  const { group: name } = entry.message
  receipts.delete(entry.receipt)
  const group = groups.get(name) ?? []
  const at = group.indexOf(entry)
  if (at >= 0) group.splice(at, 1)
  if (group.length === 0) groups.delete(name)
}
