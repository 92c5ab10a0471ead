/** The runtime behind an HTTP interface: the front door over its ports. */
import {
  E,
  type Fault,
  type FrontDoorPorts,
  freshId,
  frontDoor,
  type Generation,
  generationOf,
  type HttpRequest,
  type HttpResponse,
  load,
  type Reader,
  type RecordedEvent,
  recordedEvents,
  type Service,
  type StreamName,
  seal,
  streamName,
  streamParts,
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
      if (!takesIn(service, projection, stream)) return E.right(undefined)
      const generation = await readGeneration(runtime, projection)
      return E.isLeft(generation) ? generation : ports.views.progress(generation.right, stream)()
    },
  })
}

const takesIn = ({ projections }: Service, name: string, stream: StreamName): boolean => {
  const { category } = streamParts(stream)
  return projections.some(
    (projection) =>
      projection.name === name && projection.sources.some(({ aggregate }) => aggregate.name === category),
  )
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
      const generation = await readGeneration(runtime, projection)
      if (E.isLeft(generation)) return generation
      const row = await views.get(generation.right, key)()
      return E.isLeft(row) ? row : E.right(row.right?.value)
    },
    rows: async (projection, query) => {
      const generation = await readGeneration(runtime, projection)
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

/** The generation that is active; before the first was activated, the one that the service declares. */
const readGeneration = async (
  { service, ports }: Runtime,
  name: string,
): Promise<E.Either<Fault, Generation>> => {
  const active = await ports.views.active(name)()
  if (E.isLeft(active)) return active
  if (active.right !== undefined) return E.right({ projection: name, generation: active.right })
  const declared = service.projections.find((projection) => projection.name === name)
  return declared === undefined
    ? E.left(unavailable(`the view ${name}, which ${service.name} does not have`))
    : E.right(generationOf(declared))
}
