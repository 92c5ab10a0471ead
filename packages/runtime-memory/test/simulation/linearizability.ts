/** Whether a history of one stream can have happened one operation at a time: by trying all orders. */
import type { History, Operation } from '../../src/simulation/history/operation.ts'

/** For tiny histories of appends to one stream, without conditions on others, and reads of it. */
export const isLinearizable = (history: History): boolean => {
  const told = history.filter(
    (operation) =>
      operation.outcome === 'ok' || (operation.kind === 'append' && operation.outcome !== 'failed'),
  )
  return canEnd(told, [])
}

/** Operations that nobody acknowledged need not happen. */
const canEnd = (left: History, stored: ReadonlyArray<string>): boolean => {
  if (left.every(({ outcome }) => outcome === 'indeterminate')) return true
  return left.some((operation) => {
    if (left.some((other) => precedes(other, operation))) return false
    const next = happen(operation, stored)
    return (
      next !== undefined &&
      canEnd(
        left.filter((other) => other !== operation),
        next,
      )
    )
  })
}

const precedes = (one: Operation, other: Operation): boolean => {
  const eventual = other.kind === 'read' && other.consistency === 'eventual'
  return one.outcome === 'ok' && !eventual && (one.completedAt ?? Number.POSITIVE_INFINITY) < other.invokedAt
}

/** The stream after it; undefined where it cannot have happened now with this answer. */
const happen = (operation: Operation, stored: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  if (operation.kind === 'append') {
    const [write] = operation.writes
    // The very commit that is there already is acknowledged once more; elsewhere a value is not stored again.
    if (write !== undefined && stored.includes(write.value))
      return stored[write.number - 1] === write.value ? stored : undefined
    return write?.number === stored.length + 1 ? [...stored, write.value] : undefined
  }
  const { from, to = Number.POSITIVE_INFINITY, values } = operation
  const there = stored.slice(from - 1, to)
  const same = there.length === values.length
  return same && values.every((one, at) => one.number === from + at && one.value === there[at])
    ? stored
    : undefined
}
