/** The laws of projections. */
import * as fc from 'fast-check'
import { deriveId } from '../command-id.ts'
import type { Commit } from '../commit.ts'
import { envelope } from '../envelope.ts'
import { execute } from '../execute.ts'
import { E } from '../fp.ts'
import type { Row, ViewStore } from '../ports/view-store.ts'
import { type Projection, project } from '../projection.ts'
import { streamName } from '../stream-name.ts'
import { arbitrary } from './arbitrary.ts'
import { agree, type Laws, law } from './law.ts'
import { plainPorts } from './plain-ports.ts'

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

const rowsAfter = async (
  projection: Projection,
  store: ReturnType<typeof plainPorts>['store'],
  deliveries: ReadonlyArray<Commit>,
): Promise<ReadonlyArray<unknown>> => {
  const { views, rows } = plainViews()
  for (const commit of deliveries) {
    const taken = await project(projection, { store, views })(commit)()
    if (E.isLeft(taken)) throw new Error(`a fault: ${JSON.stringify(taken.left)}`)
  }
  return [...rows]
    .filter(([, { value }]) => value !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, { value, sources }]) => [key, value, sources])
}

const keyOf = (pk: string, sk: string): string => JSON.stringify([pk, sk])

const refuse = () => {
  throw new Error('a projection does not ask for this')
}

/** Just what `project` needs of a view store. */
const plainViews = () => {
  const rows = new Map<string, Row>()
  const progress = new Map<string, number>()
  const views: ViewStore = {
    get:
      (_, { pk, sk }) =>
      async () =>
        E.right(rows.get(keyOf(pk, sk))),
    put: (_, row) => async () => {
      rows.set(keyOf(row.pk, row.sk), JSON.parse(JSON.stringify(row)) as Row)
      return E.right('stored')
    },
    progress: (_, stream) => async () => E.right(progress.get(stream) ?? 0),
    advance: (_, stream, commit) => async () => {
      progress.set(stream, Math.max(commit, progress.get(stream) ?? 0))
      return E.right(undefined)
    },
    query: refuse,
    active: refuse,
    activate: refuse,
    drop: refuse,
  }
  return { views, rows }
}
