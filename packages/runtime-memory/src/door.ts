/** The runtime behind an HTTP interface: the front door over its ports. */
import {
  E,
  type Fault,
  type FrontDoorPorts,
  freshId,
  frontDoor,
  type Generation,
  generationRead,
  type HttpRequest,
  type HttpResponse,
  load,
  type Reader,
  type RecordedEvent,
  recordedEvents,
  seal,
  sourceOf,
  streamName,
  unavailable,
} from '@everfold/core'
import type { Runtime } from './runtime.ts'

export type DoorOptions = Pick<FrontDoorPorts, 'authenticate' | 'hooks'>

export const memoryDoor = (
  runtime: Runtime,
  options: DoorOptions,
): ((request: HttpRequest) => Promise<HttpResponse>) => {
  const { service, kernel, ports } = runtime
  return frontDoor({
    ...options,
    routes: service.routes,
    clock: kernel,
    freshId: () => freshId(kernel.nowMs(), kernel.random),
    execute: runtime.execute,
    recall: runtime.recall,
    reader: (tenant) => readerOf(runtime, tenant),
    progress: (projection, stream) => async () => {
      const read = await generationToRead(runtime, projection)
      if (E.isLeft(read)) return read
      const { generation } = read.right
      const listed = service.projections.find(
        (one) => one.name === projection && one.generation === generation,
      )
      return listed === undefined || sourceOf(listed, stream) === undefined
        ? E.right(undefined)
        : ports.views.progress(read.right, stream)()
    },
  })
}

/** What a caller of this tenant may read: streams by strongly consistent reads, and the active generations of views. */
export const readerOf = (runtime: Runtime, tenant?: string): Reader => {
  const { store, views, keys } = runtime.ports
  return {
    state: async (aggregate, id) => {
      const head = await load(aggregate, store, streamName(aggregate.name, id, tenant), PAGE)
      return E.isLeft(head) ? head : E.right({ state: head.right.state, commit: head.right.number })
    },
    history: async (aggregate, id, page) => {
      const stream = streamName(aggregate.name, id, tenant)
      const read = await store.readForward(stream, page)()
      if (E.isLeft(read)) return read
      const events: Array<RecordedEvent<(typeof aggregate)['event']['_A']>> = []
      for (const commit of read.right.commits) {
        const recorded = recordedEvents(aggregate, commit)
        if (E.isLeft(recorded)) return recorded
        events.push(...recorded.right)
      }
      const next = read.right.commits.at(-1)?.number
      return E.right(read.right.done || next === undefined ? { events } : { events, next })
    },
    row: async (projection, key) => {
      const generation = await generationToRead(runtime, projection)
      if (E.isLeft(generation)) return generation
      const row = await views.get(generation.right, key)()
      return E.isLeft(row) ? row : E.right(row.right?.value)
    },
    rows: async (projection, query) => {
      const generation = await generationToRead(runtime, projection)
      if (E.isLeft(generation)) return generation
      const read = await views.query(generation.right, query)()
      if (E.isLeft(read)) return read
      const rows = read.right.rows.flatMap(({ pk, sk, value }) =>
        value === undefined ? [] : [{ pk, sk, value }],
      )
      return E.right(read.right.after === undefined ? { rows } : { rows, after: read.right.after })
    },
    seal: (subject, value) => seal(keys)(subject, value)(),
  }
}

const PAGE = 12

/** The generation that callers read. */
const generationToRead = async (
  { service, ports }: Runtime,
  name: string,
): Promise<E.Either<Fault, Generation>> => {
  const read = await generationRead(service.projections, ports.views)(name)()
  if (E.isLeft(read)) return read
  return read.right === undefined
    ? E.left(unavailable(`the view ${name}, which ${service.name} does not have`))
    : E.right(read.right)
}
