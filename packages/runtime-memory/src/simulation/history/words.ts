/** Operations of a history as its anomalies tell of them. */
import type { History, Operation } from './operation.ts'

/** `client 1 appended a at order-1@3 (steps 4 to 9, ok)`. */
const told = (operation: Operation): string => {
  const { process, invokedAt, completedAt, outcome } = operation
  const steps = completedAt === undefined ? `from step ${invokedAt}` : `steps ${invokedAt} to ${completedAt}`
  return `${process} ${operation.kind === 'append' ? appended(operation) : shown(operation)} (${steps}, ${outcome})`
}

const appended = ({ writes, unmoved = [] }: Extract<Operation, { readonly kind: 'append' }>): string => {
  const places = writes.map(({ stream, number, value }) => `${value} at ${stream}@${number}`)
  const ends = unmoved.map(({ stream, number }) => ` while ${stream} ended at ${number}`)
  return `appended ${places.join(' and ')}${ends.join(' and')}`
}

const shown = (read: Extract<Operation, { readonly kind: 'read' }>): string => {
  const range = `${read.stream}@${read.from}..${read.to ?? 'end'}`
  const values = read.values.map(({ value }) => value)
  const tail = values.length > MOST ? `... ${values.slice(-MOST).join(' ')}` : values.join(' ')
  return `read ${range}${read.consistency === 'eventual' ? ', eventually consistent,' : ''} as [${tail}]`
}

/** Of a long read, its end is what an anomaly is about. */
const MOST = 5

/** The sentence, and then the operations of it in their order. */
export const sentence = (history: History, what: string, operations: ReadonlyArray<number>): string =>
  `${what}: ${operations
    .map((index) => history[index])
    .filter((operation) => operation !== undefined)
    .map(told)
    .join('; ')}`
