/**
 * A correct projector as anybody might write it: fills gaps from the log, writes each row on the condition of what was
 * read, then the progress. Its steps can be broken one by one.
 */
import {
  type Commit,
  E,
  type Fault,
  type Generation,
  generationOf,
  type Projection,
  type Row,
  type RowChange,
  recordedEvents,
  type Sources,
  sourceOf,
} from '@everfold/core'
import { type FunctionPorts, type Functions, inOrder } from '../../../src/simulation/deployment/functions.ts'

type Done = Promise<E.Either<Fault, void>>

export interface Steps {
  /** The number of a stream's last commit that was taken in, of what the progress and the commit at hand tell. */
  takenTo(this: void, progress: number, commit: Commit): number
  /** What lies between. */
  gap(
    this: void,
    ports: FunctionPorts,
    commit: Commit,
    after: number,
  ): Promise<E.Either<Fault, ReadonlyArray<Commit>>>
  /** Whether a row has this commit. */
  has(this: void, sources: Sources, commit: Commit): boolean
  put(
    this: void,
    ports: FunctionPorts,
    generation: Generation,
    row: Row,
    expected: Sources | undefined,
  ): Promise<E.Either<Fault, 'stored' | 'conflict'>>
}

const CORRECT: Steps = {
  takenTo: (progress) => progress,
  gap: async ({ store }, { stream, number }, after) => {
    const missing: Array<Commit> = []
    while (after + missing.length < number - 1) {
      const first = after + missing.length
      const page = await store.readForward(stream, { after: first, limit: number - 1 - first })()
      if (E.isLeft(page)) return page
      if (page.right.commits.length === 0) return E.left({ _tag: 'MissingCommit', stream, number: first + 1 })
      missing.push(...page.right.commits)
    }
    return E.right(missing)
  },
  has: (sources, { stream, number }) => (sources[stream] ?? 0) >= number,
  put: ({ views }, generation, row, expected) => views.put(generation, row, expected)(),
}

/** How a batch is worked through, with what takes one commit in. */
type Batching = (take: (commit: Commit) => Done) => ReturnType<Functions['projector']>

export const plainProjector =
  (broken: Partial<Steps> = {}, batching: Batching = inOrder): Functions['projector'] =>
  (ports, name) => {
    const steps = { ...CORRECT, ...broken }
    const generations = ports.service.projections.filter((projection) => projection.name === name)
    return batching(async (commit) => {
      for (const projection of generations) {
        const taken = await take({ steps, ports, projection }, commit)
        if (E.isLeft(taken)) return taken
      }
      return E.right(undefined)
    })
  }

interface Taking {
  readonly steps: Steps
  readonly ports: FunctionPorts
  readonly projection: Projection
}

const take = async (taking: Taking, commit: Commit): Done => {
  const { steps, ports, projection } = taking
  const { stream, number } = commit
  if (sourceOf(projection, stream) === undefined) return E.right(undefined)
  const progress = await ports.views.progress(generationOf(projection), stream)()
  if (E.isLeft(progress)) return progress
  const after = steps.takenTo(progress.right, commit)
  if (number <= after) return E.right(undefined)
  const missing = await steps.gap(ports, commit, after)
  if (E.isLeft(missing)) return missing
  for (const next of [...missing.right, commit]) {
    const applied = await apply(taking, next)
    if (E.isLeft(applied)) return applied
  }
  return ports.views.advance(generationOf(projection), stream, number)()
}

const apply = async (taking: Taking, commit: Commit): Done => {
  const source = sourceOf(taking.projection, commit.stream)
  const events = source === undefined ? E.right([]) : recordedEvents(source.aggregate, commit)
  if (E.isLeft(events)) return events
  const changes = events.right.flatMap((recorded) => source?.rows(recorded) ?? [])
  for (const ofRow of Map.groupBy(changes, ({ pk, sk }) => JSON.stringify([pk, sk])).values()) {
    const changed = await changeRow(taking, commit, ofRow)
    if (E.isLeft(changed)) return changed
  }
  return E.right(undefined)
}

const changeRow = async (
  { steps, ports, projection }: Taking,
  commit: Commit,
  changes: ReadonlyArray<RowChange>,
): Done => {
  const [first] = changes
  if (first === undefined) return E.right(undefined)
  const { pk, sk } = first
  const generation = generationOf(projection)
  for (;;) {
    const row = await ports.views.get(generation, { pk, sk })()
    if (E.isLeft(row)) return row
    const { sources = {}, value: before } = row.right ?? {}
    if (steps.has(sources, commit)) return E.right(undefined)
    const value = changes.reduce((sofar, { change }) => change(sofar), before)
    const next = { pk, sk, sources: { ...sources, [commit.stream]: commit.number } }
    const put = await steps.put(
      ports,
      generation,
      value === undefined ? next : { ...next, value },
      row.right?.sources,
    )
    if (E.isLeft(put)) return put
    if (put.right === 'stored') return E.right(undefined)
  }
}
