/** The laws of projections. */
import * as fc from 'fast-check'
import { deriveId } from '../command-id.ts'
import type { Commit } from '../commit.ts'
import { envelope } from '../envelope.ts'
import { execute } from '../execute.ts'
import { E } from '../fp.ts'
import { type Projection, type ProjectPorts, project } from '../projection.ts'
import { streamName } from '../stream-name.ts'
import { arbitrary } from './arbitrary.ts'
import { agree, type Law, type Laws, law } from './law.ts'
import { type PlainStore, type PlainViews, plainPorts, plainViews } from './plain-ports.ts'
import { crashing, fates, yielding } from './troubled-views.ts'

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
  const subject = { projection, history: fc.array(asked, { maxLength: options.maxCommands ?? 15 }) }
  return [converges(subject), survives(subject), competes(subject), hears(subject)]
}

interface Subject {
  readonly projection: Projection
  readonly history: fc.Arbitrary<ReadonlyArray<Asked>>
}

const converges = ({ projection, history }: Subject): Law =>
  law(
    'a projection converges under duplication and reordering',
    fc.tuple(history, fc.array(fc.nat(), { maxLength: 60 })),
    async ([commands, deliveries]) => {
      const { store, commits } = await settled(projection, commands)
      const odd = deliveries.flatMap((place) =>
        commits.slice(place % Math.max(1, commits.length)).slice(0, 1),
      )
      const inOrder = await rowsAfter(projection, store, commits)
      // Whatever came before, each commit is delivered at least once.
      const disturbed = await rowsAfter(projection, store, [...odd, ...commits.toReversed()])
      agree(disturbed, inOrder, 'the rows are those of an orderly delivery')
    },
  )

const survives = ({ projection, history }: Subject): Law =>
  law('a crash changes nothing', fc.tuple(history, fates), async ([commands, ahead]) => {
    const { store, commits } = await settled(projection, commands)
    const plain = plainViews()
    const ports = { store, clock, views: crashing(plain.views, ahead) }
    await deliver(projection, ports, commits, ahead.length)
    agree(shown(plain), await rowsAfter(projection, store, commits), 'the rows are those without a crash')
  })

const competes = ({ projection, history }: Subject): Law =>
  law(
    'two projectors at once come to what one comes to',
    fc.tuple(history, fc.scheduler()),
    async ([commands, scheduler]) => {
      const { store, commits } = await settled(projection, commands)
      const plain = plainViews()
      const ports = { store, clock, views: yielding(plain.views, scheduler) }
      // From both ends, so that they meet in one commit and in different ones.
      const ways = [commits, commits.toReversed()]
      await scheduler.waitFor(Promise.all(ways.map((way) => deliver(projection, ports, way))))
      agree(shown(plain), await rowsAfter(projection, store, commits), 'the rows are those of one projector')
    },
  )

const hears = ({ projection, history }: Subject): Law =>
  law('a projection is a function of what it hears', history, async (asked) => {
    const { store, commits } = await settled(projection, asked)
    const byStream = Object.values(Object.groupBy(commits, ({ stream }) => stream)).flatMap(
      (ofStream) => ofStream ?? [],
    )
    agree(
      await rowsAfter(projection, store, byStream),
      await rowsAfter(projection, store, commits),
      'the rows do not depend on the order between streams',
    )
  })

interface Asked {
  /** Its name, which reads well in a counterexample. */
  readonly aggregate: string
  readonly id: string
  readonly command: unknown
}

const { clock } = plainPorts()

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
  return { store: ports.store, commits: ports.store.commits() }
}

type Rows = ReadonlyArray<unknown>

/** The rows after an orderly delivery or one in another order, without a fault. */
const rowsAfter = async (
  projection: Projection,
  store: PlainStore,
  deliveries: ReadonlyArray<Commit>,
): Promise<Rows> => {
  const plain = plainViews()
  await deliver(projection, { store, clock, views: plain.views }, deliveries)
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
