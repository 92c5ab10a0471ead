/**
 * The floor: what a careful author would write by hand for this one command, and nothing more.
 *
 * It does all that our library promises for a command, so that a ratio to it is the price of the
 * library alone: it checks the command's shape, fingerprints it, refuses a command id it has answered
 * (the same payload again changes nothing, another payload is an error), folds the stream, decides, and
 * appends only at the version it has read.
 */
import { hash } from 'node:crypto'
import { at, type Contender, perStream } from '../contender.ts'
import {
  type AddItem,
  commandIdOf,
  commandOf,
  decide,
  evolve,
  historyOf,
  initial,
  type Order,
  type OrderEvent,
  orderIdOf,
} from '../order-domain.ts'

interface Stream {
  readonly events: Array<OrderEvent>
  /** The fingerprint of every command this stream has answered, by command id. */
  readonly answered: Map<string, string>
}

/** The fields in one fixed order, whatever the order they came in: `JSON.stringify` of it is canonical. */
const decode = (input: unknown): AddItem => {
  if (typeof input !== 'object' || input === null) throw new Error('not an object')
  const { commandId, orderId, sku, quantity, priceMinor } = input as Record<string, unknown>
  if (typeof commandId !== 'string' || commandId === '') throw new Error('not a command id')
  if (typeof orderId !== 'string' || orderId === '') throw new Error('not an order id')
  if (typeof sku !== 'string' || sku === '') throw new Error('not a sku')
  if (!Number.isSafeInteger(quantity) || (quantity as number) < 1) throw new Error('not a quantity')
  if (!Number.isSafeInteger(priceMinor) || (priceMinor as number) < 0) throw new Error('not a price')
  return { commandId, orderId, sku, quantity: quantity as number, priceMinor: priceMinor as number }
}

/** 132 bits of SHA-256: `hash` in one call is Node's fastest, and the id is no part of what it names. */
const fingerprint = ({ orderId, sku, quantity, priceMinor }: AddItem): string =>
  hash('sha256', JSON.stringify({ orderId, sku, quantity, priceMinor }), 'base64url').slice(0, 22)

const fold = (events: ReadonlyArray<OrderEvent>): Order => {
  let order = initial
  for (const event of events) order = evolve(order, event)
  return order
}

/**
 * The store is asynchronous, as one behind a port must be: were nothing awaited between the load and the
 * append, the optimistic check could never fail and would be for show.
 */
export class Orders {
  readonly streams = new Map<string, Stream>()

  async load(orderId: string): Promise<Stream & { readonly version: number }> {
    const { events, answered } = this.streams.get(orderId) ?? { events: [], answered: new Map() }
    return { events, answered, version: events.length }
  }

  async append(command: AddItem, mark: string, event: OrderEvent, version: number): Promise<void> {
    const stream = this.streams.get(command.orderId)
    if (stream?.events.length !== version) throw new Error('VersionConflict')
    stream.events.push(event)
    stream.answered.set(command.commandId, mark)
  }

  async handle(input: unknown): Promise<void> {
    const command = decode(input)
    const mark = fingerprint(command)
    const { events, answered, version } = await this.load(command.orderId)
    const answeredMark = answered.get(command.commandId)
    if (answeredMark === mark) return
    if (answeredMark !== undefined) throw new Error('CommandIdReused')
    const data = decide(command, fold(events))
    await this.append(command, mark, { type: 'ItemAdded', data }, version)
  }
}

export const floor: Contender = {
  name: 'floor',
  prepare: async (streamLength, streams) => {
    const orders = new Orders()
    for (let stream = 0; stream < streams; stream++) {
      const events = historyOf(stream, streamLength)
      const answered = new Map(
        events.map((_, position) => [commandIdOf(stream, position), 'a fingerprint of the past'] as const),
      )
      orders.streams.set(orderIdOf(stream), { events, answered })
    }
    const commands = perStream(streams, (stream): unknown => commandOf(stream, streamLength))
    return {
      run: (stream) => orders.handle(at(commands, stream)),
      inspect: async (stream) => {
        const { events, version } = await orders.load(orderIdOf(stream))
        return { version, order: fold(events) }
      },
    }
  },
}
