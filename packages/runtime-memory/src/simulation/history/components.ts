/** Strongly connected components. Source: Robert Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972). */
import type { Graph } from './graph.ts'

export interface Components {
  /** The component of each node, as a number from 0. */
  readonly of: Int32Array
  readonly sizes: ReadonlyArray<number>
}

interface Walk {
  readonly graph: Graph
  readonly mask: number
  /** Where each node's edges are to be followed from. */
  readonly next: Int32Array
  /** From 1 in the order of discovery; 0 for a node not yet found. */
  readonly found: Int32Array
  readonly low: Int32Array
  readonly of: Int32Array
  readonly open: Array<number>
  readonly sizes: Array<number>
  count: number
}

/** In the graph of those edges alone whose kind is in the mask. */
export const components = (graph: Graph, mask: number): Components => {
  const walk: Walk = {
    graph,
    mask,
    next: graph.starts.slice(0, graph.nodes),
    found: new Int32Array(graph.nodes),
    low: new Int32Array(graph.nodes),
    of: new Int32Array(graph.nodes).fill(-1),
    open: [],
    sizes: [],
    count: 0,
  }
  for (let node = 0; node < graph.nodes; node += 1) if (walk.found[node] === 0) explore(walk, node)
  return { of: walk.of, sizes: walk.sizes }
}

/** With a stack of its own, because a path may be as long as the history. */
const explore = (walk: Walk, root: number) => {
  const path = [discover(walk, root)]
  for (;;) {
    const node = path.at(-1)
    if (node === undefined) return
    const target = follow(walk, node)
    if (target !== undefined) path.push(discover(walk, target))
    else {
      path.pop()
      const parent = path.at(-1)
      if (parent !== undefined) lower(walk, parent, walk.low[node] ?? 0)
      if (walk.low[node] === walk.found[node]) close(walk, node)
    }
  }
}

const discover = (walk: Walk, node: number): number => {
  walk.count += 1
  walk.found[node] = walk.count
  walk.low[node] = walk.count
  walk.open.push(node)
  return node
}

/** The next node that was not found yet, if there is one. */
const follow = (walk: Walk, node: number): number | undefined => {
  const { graph, mask, next, found, of } = walk
  const end = graph.starts[node + 1] ?? 0
  for (let edge = next[node] ?? end; edge < end; edge += 1) {
    if (((graph.kinds[edge] ?? 0) & mask) === 0) continue
    const target = graph.targets[edge] ?? 0
    if (found[target] === 0) {
      next[node] = edge + 1
      return target
    }
    if (of[target] === -1) lower(walk, node, found[target] ?? 0)
  }
  next[node] = end
  return undefined
}

const lower = ({ low }: Walk, node: number, to: number) => {
  if (to < (low[node] ?? 0)) low[node] = to
}

const close = ({ open, of, sizes }: Walk, root: number) => {
  const component = sizes.length
  let size = 0
  for (let node = open.pop(); node !== undefined; node = node === root ? undefined : open.pop()) {
    of[node] = component
    size += 1
  }
  sizes.push(size)
}
