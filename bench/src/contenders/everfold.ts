/**
 * Everfold: `execute` over the in-memory event store, with the real codecs and no cache of heads.
 *
 * It does the floor's work: decodes the command, fingerprints it, refuses a repeated id and appends only at the number
 * it has read. The state is loaded from the stream for every command, as far back as the newest snapshot. Nobody
 * places that snapshot for the benchmark: every event of the past was put there by a command through `execute`.
 */
import { advance, defaultOptions, E, emptyHead, execute, load, streamName } from '@everfold/core'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { at, type Contender, perStream } from '../contender.ts'
import { answered, arrive, orders, requestFor, requestOf } from '../everfold-order.ts'
import { begunAtMs, commandOf, historyOf, type Order, orderIdOf } from '../order-domain.ts'

type House = ReturnType<typeof houseOf>

/** A store and its command handler. */
const houseOf = () => {
  const kernel = virtualKernel({ mode: 'immediate', startMs: begunAtMs })
  const store = memoryEventStore(kernel)
  const run = execute(orders, { store, clock: kernel })
  const handle = async (request: unknown): Promise<void> => {
    const { stream, member } = arrive(request, kernel.nowMs())
    answered(await run(stream, [member])())
  }
  const handleTogether = async (orderId: string, requests: ReadonlyArray<unknown>): Promise<void> => {
    const group = requests.map((request) => arrive(request, kernel.nowMs()).member)
    answered(await run(streamName('order', orderId), group)())
  }
  return { store, handle, handleTogether }
}

/**
 * Gives a stream its past, one commit for each event. Where the stream is long enough for snapshots, its first commit
 * answers up to a dozen commands at once: so the streams stand at every place between two snapshots, and the mean of
 * the measured commands contains its share of writing them.
 */
const live = async (house: House, stream: number, length: number): Promise<void> => {
  const requests = historyOf(stream, length).map((event, position) => requestOf(stream, position, event))
  const { snapshotEvery } = defaultOptions
  const together = length > snapshotEvery ? 1 + (stream % snapshotEvery) : 1
  await house.handleTogether(orderIdOf(stream), requests.slice(0, together))
  for (const request of requests.slice(together)) await house.handle(request)
}

/**
 * Stays for the life of the process, and answers one command for every batch. A process has one store, but here each
 * batch has its own, and when the collector takes its functions V8 drops the compiled code that calls them; not so
 * where it knows another store of the same make.
 */
const resident = houseOf()
let batches = 0

export const everfold: Contender = {
  name: 'everfold',
  prepare: async (streamLength, streams) => {
    const house = houseOf()
    for (let stream = 0; stream < streams; stream++) await live(house, stream, streamLength)
    batches += 1
    await live(resident, batches, 1)
    const requests = perStream(streams, (stream) => requestFor(commandOf(stream, streamLength)))
    return {
      run: (stream) => house.handle(at(requests, stream)),
      inspect: async (stream) => {
        const name = streamName('order', orderIdOf(stream))
        const head = await load(orders, house.store, name, defaultOptions.snapshotEvery)
        if (E.isLeft(head)) throw new Error(JSON.stringify(head.left))
        return { version: head.right.version, order: head.right.state }
      },
    }
  },
}

/** The fold of one stored history of `length` events, from the first on: past the snapshots, through decode. */
export const foldOf = async (length: number): Promise<() => Order> => {
  const { store, handle } = houseOf()
  for (const [position, event] of historyOf(0, length).entries()) await handle(requestOf(0, position, event))
  const empty = emptyHead(orders, streamName('order', orderIdOf(0)))
  return () => {
    const head = advance(orders, empty, store.log)
    if (E.isLeft(head)) throw new Error(JSON.stringify(head.left))
    return head.right.state
  }
}
