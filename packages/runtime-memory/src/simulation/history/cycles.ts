/**
 * Cycles of dependencies: one for each knot of operations that no order can satisfy, of the gravest kind, and the shortest
 * of that kind.
 */
import { type Components, components } from './components.ts'
import { ALWAYS, type Graph, READ_WRITE, REAL_TIME, WRITE_READ, WRITE_WRITE } from './graph.ts'
import type { CycleKind } from './operation.ts'
import { NOBODY } from './place.ts'

export interface Cycle {
  readonly kind: CycleKind | `${CycleKind}-realtime`
  /** Each begins where the one before it ends. */
  readonly edges: ReadonlyArray<number>
}

/** A kind of cycle: the edges that it may have, and whether it has one edge more, from a read to a write. */
interface Kind {
  readonly kind: Cycle['kind']
  readonly mask: number
  readonly single: boolean
}

const DATA: ReadonlyArray<readonly [CycleKind, number, boolean]> = [
  ['G0', WRITE_WRITE, false],
  ['G1c', WRITE_WRITE | WRITE_READ, false],
  ['G-single', WRITE_WRITE | WRITE_READ, true],
  ['G2', WRITE_WRITE | WRITE_READ | READ_WRITE, false],
]

/** In this order, so that whatever is found at one was at none before it, and its name needs no further proof. */
const KINDS: ReadonlyArray<Kind> = [
  ...DATA.map(([kind, mask, single]) => ({ kind, mask: mask | ALWAYS, single })),
  ...DATA.map(([kind, mask, single]) => ({
    kind: `${kind}-realtime` as const,
    mask: mask | REAL_TIME | ALWAYS,
    single,
  })),
]

const ANY = WRITE_WRITE | WRITE_READ | READ_WRITE | REAL_TIME | ALWAYS

/**
 * How many edges are looked at, at most, for cycles shorter than the first one found, and for those of one edge from a
 * read to a write. Where it does not suffice, a cycle is found all the same, but perhaps by a less grave name.
 */
const BUDGET = 2_000_000

export const cyclesOf = (graph: Graph): ReadonlyArray<Cycle> => {
  const knots = components(graph, ANY)
  const open = new Set(knots.sizes.flatMap((size, knot) => (size > 1 ? [knot] : [])))
  const found: Array<Cycle> = []
  for (const kind of KINDS) {
    if (open.size === 0) break
    const search: Search = {
      graph,
      kind,
      knots,
      open,
      best: new Map(),
      parents: new Int32Array(graph.nodes),
      visited: new Int32Array(graph.nodes),
      round: 0,
      left: BUDGET,
    }
    const inner = components(graph, kind.mask)
    if (kind.single) searchSingle(search, inner)
    else searchAll(search, inner)
    for (const [knot, { edges }] of search.best) {
      found.push({ kind: kind.kind, edges })
      open.delete(knot)
    }
  }
  return found
}

interface Search {
  readonly graph: Graph
  readonly kind: Kind
  readonly knots: Components
  /** Those for which no cycle was found yet. */
  readonly open: ReadonlySet<number>
  readonly best: Map<number, { readonly edges: ReadonlyArray<number>; readonly length: number }>
  /** The edge by which a node was reached, and in which round that was. */
  readonly parents: Int32Array
  readonly visited: Int32Array
  round: number
  left: number
}

/** Cycles of edges that all are of the kind: each node of a component is on one. */
const searchAll = (search: Search, inner: Components) => {
  const { graph, knots, open } = search
  for (let node = 0; node < graph.nodes; node += 1) {
    const knot = knots.of[node] ?? 0
    if (!open.has(knot) || (inner.sizes[inner.of[node] ?? 0] ?? 0) < 2 || graph.owners[node] === NOBODY)
      continue
    const path = shortest(search, { from: node, to: node, within: inner.of })
    if (path !== undefined) keep(search, knot, path)
  }
}

/**
 * Cycles of one edge from a read to a write, and else of edges of the kind. Of these alone there is no cycle left, and
 * components are numbered from the last in their order, so what leads to the read has no lower number than it.
 */
const searchSingle = (search: Search, inner: Components) => {
  const { graph, knots, open } = search
  graph.kinds.forEach((kind, edge) => {
    if (kind !== READ_WRITE || search.left <= 0) return
    const [from, to] = [graph.targets[edge] ?? 0, graph.sources[edge] ?? 0]
    const knot = knots.of[from] ?? 0
    if (!open.has(knot) || knot !== knots.of[to] || !leads(inner, from, to)) return
    const path = shortest(search, { from, to, within: knots.of, order: inner })
    if (path !== undefined) keep(search, knot, [edge, ...path])
  })
}

const leads = ({ of }: Components, from: number, to: number): boolean => (of[from] ?? 0) >= (of[to] ?? 0)

const keep = ({ graph, best }: Search, knot: number, edges: ReadonlyArray<number>) => {
  const { length } = operationsOf(graph, edges)
  const known = best.get(knot)
  if (known === undefined || length < known.length) best.set(knot, { edges, length })
}

/** The operations that a path goes through, once each. */
export const operationsOf = (
  { owners, sources }: Graph,
  edges: ReadonlyArray<number>,
): ReadonlyArray<number> => [
  ...new Set(edges.map((edge) => owners[sources[edge] ?? 0] ?? NOBODY).filter((owner) => owner !== NOBODY)),
]

interface Way {
  readonly from: number
  readonly to: number
  /** The way stays in one component of these. */
  readonly within: Int32Array
  /** Components of the edges of the way, to leave out what cannot lead to its end. */
  readonly order?: Components
}

/**
 * Breadth first, by the number of operations on the way: moments and parts are gone through within one level. Gives up
 * where a known cycle of this knot is as short, and where the budget is spent and any cycle is known.
 */
const shortest = (search: Search, way: Way): ReadonlyArray<number> | undefined => {
  const { best, knots } = search
  const known = best.get(knots.of[way.from] ?? 0)
  if (known !== undefined && search.left <= 0) return undefined
  const most = known?.length ?? Number.POSITIVE_INFINITY
  search.round += 1
  let level = [way.from]
  for (let length = 1; level.length > 0 && length < most; length += 1) {
    const next: Array<number> = []
    if (expand(search, way, level, next)) return pathOf(search, way)
    level = next
  }
  return undefined
}

/** Whether the end was reached from this level; what lies one operation further goes to the next. */
const expand = (
  search: Search,
  { to, within, order }: Way,
  level: Array<number>,
  next: Array<number>,
): boolean => {
  const { graph, kind, parents, visited, round } = search
  for (let node = level.pop(); node !== undefined; node = level.pop()) {
    const end = graph.starts[node + 1] ?? 0
    for (let edge = graph.starts[node] ?? 0; edge < end; edge += 1) {
      search.left -= 1
      const target = graph.targets[edge] ?? 0
      if (((graph.kinds[edge] ?? 0) & kind.mask) === 0 || visited[target] === round) continue
      if (within[target] !== within[to]) continue
      if (order !== undefined && !leads(order, target, to)) continue
      visited[target] = round
      parents[target] = edge
      if (target === to) return true
      const owner = graph.owners[target]
      if (owner === NOBODY || owner === graph.owners[node]) level.push(target)
      else next.push(target)
    }
  }
  return false
}

const pathOf = ({ graph, parents }: Search, { from, to }: Way): ReadonlyArray<number> => {
  const path: Array<number> = []
  let node = to
  do {
    const edge = parents[node] ?? 0
    path.push(edge)
    node = graph.sources[edge] ?? 0
  } while (node !== from)
  return path.toReversed()
}
