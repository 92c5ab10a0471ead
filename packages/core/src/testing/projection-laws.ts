/** The laws of projections. */
import * as fc from 'fast-check'
import { deriveId } from '../command-id.ts'
import type { Commit } from '../commit.ts'
import { envelope } from '../envelope.ts'
import { execute } from '../execute.ts'
import { type Fault, unavailable } from '../fault.ts'
import { E, type TE } from '../fp.ts'
import type { ViewStore } from '../ports/view-store.ts'
import { type Projection, type ProjectPorts, project } from '../projection.ts'
import { streamName } from '../stream-name.ts'
import { arbitrary } from './arbitrary.ts'
import { agree, type Laws, law } from './law.ts'
import { type PlainStore, type PlainViews, plainPorts, plainViews } from './plain-ports.ts'

export interface ProjectionLawOptions {
  /** Commands whose ids meet, by the aggregate's name; derived from its codec unless given. */
  readonly commands?: { readonly [aggregate: string]: fc.Arbitrary<unknown> }
  /** The longest history, in commands: 15 unless told. */
  readonly maxCommands?: number
}

export const projectionLaws = (projection: Projection, options: ProjectionLawOptions = {}): Laws => {
  const asked = fc.oneof(
    ...projection.sources.map(({ aggregate }) =>
      fc.record({
        aggregate: fc.constant(aggregate.name),
        id: fc.constantFrom('one', 'other'),
        command: options.commands?.[aggregate.name] ?? arbitrary(aggregate.command),
      }),
    ),
  )
  const history = fc.array(asked, { maxLength: options.maxCommands ?? 15 })
  return [
    law(
      'a projection converges under duplication and reordering',
      fc.tuple(history, fc.array(fc.nat(), { maxLength: 60 })),
      async ([commands, deliveries]) => {
        const { store } = await settled(projection, commands)
        const commits = store.commits()
        const odd = deliveries.flatMap((place) =>
          commits.slice(place % Math.max(1, commits.length)).slice(0, 1),
        )
        const inOrder = await rowsAfter(projection, store, commits)
        // Whatever came before, each commit is delivered at least once.
        const disturbed = await rowsAfter(projection, store, [...odd, ...commits.toReversed()])
        agree(disturbed, inOrder, 'the rows are those of an orderly delivery')
      },
    ),
    law(
      'a crash changes nothing, nor does a late duplicate',
      fc.tuple(history, fates),
      async ([commands, ahead]) => {
        const { store } = await settled(projection, commands)
        const commits = store.commits()
        const plain = plainViews()
        const ports = { store, views: crashing(plain.views, ahead) }
        await deliver(projection, ports, commits, ahead.length)
        agree(shown(plain), await rowsAfter(projection, store, commits), 'the rows are those without a crash')
      },
    ),
    law(
      'two projectors at once come to what one comes to',
      fc.tuple(history, fc.scheduler()),
      async ([commands, scheduler]) => {
        const { store } = await settled(projection, commands)
        const commits = store.commits()
        const plain = plainViews()
        const ports = { store, views: yielding(plain.views, scheduler) }
        const both = [commits, commits].map((all) => deliver(projection, ports, all))
        await scheduler.waitFor(Promise.all(both))
        agree(
          shown(plain),
          await rowsAfter(projection, store, commits),
          'the rows are those of one projector',
        )
      },
    ),
    law('a projection is a function of what it hears', history, async (commands) => {
      const { store } = await settled(projection, commands)
      const byStream = Object.values(Object.groupBy(store.commits(), ({ stream }) => stream)).flatMap(
        (commits) => commits ?? [],
      )
      agree(
        await rowsAfter(projection, store, byStream),
        await rowsAfter(projection, store, store.commits()),
        'the rows do not depend on the order between streams',
      )
    }),
  ]
}

interface Asked {
  /** Its name, which reads well in a counterexample. */
  readonly aggregate: string
  readonly id: string
  readonly command: unknown
}

/** The first of January 2026. */
const START_MS = 1_767_225_600_000

/** The store after these commands, each in its turn. */
const settled = async ({ sources }: Projection, commands: ReadonlyArray<Asked>) => {
  const ports = plainPorts()
  const aggregates = new Map(sources.map(({ aggregate }) => [aggregate.name, aggregate]))
  for (const [place, { aggregate: name, id, command }] of commands.entries()) {
    const aggregate = aggregates.get(name)
    if (aggregate === undefined) continue
    const timeMs = START_MS + 1000 * place
    const asked = envelope(command, { id: deriveId(timeMs, 'law', String(place)), timeMs })
    const answer = await execute(aggregate, ports)(streamName(aggregate.name, id), [asked])()
    if (E.isLeft(answer)) throw new Error(`a fault: ${JSON.stringify(answer.left)}`)
  }
  return ports
}

type Rows = ReadonlyArray<unknown>

/** The rows after an orderly delivery or one in another order, without a fault. */
const rowsAfter = async (
  projection: Projection,
  store: PlainStore,
  deliveries: ReadonlyArray<Commit>,
): Promise<Rows> => {
  const plain = plainViews()
  await deliver(projection, { store, views: plain.views }, deliveries)
  return shown(plain)
}

const shown = ({ rows }: PlainViews): Rows => rows().filter(({ value }) => value !== undefined)

/** Delivers each commit until it is taken in, as a queue does: one that crashed comes again behind all others. */
const deliver = async (
  projection: Projection,
  ports: ProjectPorts,
  deliveries: ReadonlyArray<Commit>,
  crashes = 0,
): Promise<void> => {
  const due = [...deliveries]
  let faults = 0
  for (let commit = due.shift(); commit !== undefined; commit = due.shift()) {
    const taken = await project(projection, ports)(commit)()
    if (E.isRight(taken)) continue
    faults += 1
    if (faults > crashes) throw new Error(`a fault: ${JSON.stringify(taken.left)}`)
    due.push(commit)
  }
}

/** What becomes of a write: it is done, or the projector crashes right before it, or right after. */
type Fate = 'done' | 'crash before' | 'crash after'

const fates = fc.array(fc.constantFrom<Fate>('done', 'crash before', 'crash after'), { maxLength: 40 })

/** A view store whose next writes, of rows and of progress alike, meet these fates. */
const crashing = (views: ViewStore, ahead: ReadonlyArray<Fate>): ViewStore => {
  let writes = 0
  const meeting =
    <A>(write: TE.TaskEither<Fault, A>): TE.TaskEither<Fault, A> =>
    async () => {
      const fate = ahead[writes] ?? 'done'
      writes += 1
      if (fate === 'done') return write()
      if (fate === 'crash after') await write()
      return E.left(unavailable('the projector crashed'))
    }
  return {
    ...views,
    put: (...asked) => meeting(views.put(...asked)),
    advance: (...asked) => meeting(views.advance(...asked)),
  }
}

/** A view store that lets others go first after whatever it did, as the scheduler pleases. */
const yielding = (views: ViewStore, scheduler: fc.Scheduler): ViewStore => {
  const turn =
    <A>(label: string, call: TE.TaskEither<Fault, A>): TE.TaskEither<Fault, A> =>
    async () => {
      const answer = await call()
      return scheduler.schedule(Promise.resolve(answer), label)
    }
  return {
    ...views,
    progress: (...asked) => turn('progress', views.progress(...asked)),
    get: (...asked) => turn('get', views.get(...asked)),
    put: (...asked) => turn('put', views.put(...asked)),
  }
}
