/** Ways to break a history that happened, each of which can be named in one way only. */
import type {
  Anomaly,
  AnomalyKind,
  Append,
  History,
  Operation,
  Read,
  Write,
} from '../../src/simulation/history/operation.ts'
import { historyOf, wholeRead } from './history-world.ts'

type Pick = (below: number) => number
export interface Mutation {
  readonly name: string
  readonly kind: AnomalyKind
  /** Undefined where the history has nothing to break in this way. */
  readonly mutate: (history: History, pick: Pick) => History | undefined
}

const one = <Item>(items: ReadonlyArray<Item>, pick: Pick): Item | undefined => items[pick(items.length)]
const isRead = (operation: Operation): operation is Read =>
  operation.kind === 'read' && operation.outcome === 'ok'
const isFinal = ({ process }: Operation): boolean => process === 'final'
const finals = (history: History): ReadonlyArray<Read> =>
  history.filter((operation) => isRead(operation)).filter(isFinal)
const shows = (operation: Operation, { stream, value }: Write): boolean =>
  isRead(operation) &&
  operation.stream === stream &&
  operation.values.some((placed) => placed.value === value)

/** An acknowledged write that a final read shows. */
const acknowledged = (
  history: History,
  pick: Pick,
  among: (append: Append, write: Write) => boolean = () => true,
) =>
  one(
    history.flatMap((operation, index) =>
      operation.kind === 'append' && operation.outcome === 'ok'
        ? operation.writes
            .filter((write) => among(operation, write))
            .map((write) => ({ index, operation, write }))
        : [],
    ),
    pick,
  )

const replaced = (read: Read, write: Write, value: string): Read => ({
  ...read,
  values: read.values.map((placed) => (placed.value === write.value ? { ...placed, value } : placed)),
})

const without = (read: Read, value: string): Read => ({
  ...read,
  values: read.values.filter((placed) => placed.value !== value),
})

/** The history in which all reads show another value for a write. */
const everywhere = (history: History, write: Write, value: string): History =>
  history.map((operation) =>
    isRead(operation) && shows(operation, write) ? replaced(operation, write, value) : operation,
  )

const rival = (write: Write): Append => ({
  kind: 'append',
  process: 'rival',
  invokedAt: 0,
  outcome: 'indeterminate',
  writes: [{ ...write, value: 'rival' }],
})

const isNewest = (history: History, { stream, number }: Write): boolean =>
  finals(history).some((read) => read.stream === stream && read.values.length === number)

/** Whether somebody may have appended there. */
const isTried = (history: History, name: string, at: number): boolean =>
  history.some(
    (operation) =>
      operation.kind === 'append' &&
      operation.outcome !== 'failed' &&
      operation.writes.some(({ stream, number }) => stream === name && number === at),
  )

const readAmong = (history: History, pick: Pick, among: (read: Read) => boolean) =>
  one(
    history.flatMap((operation, index) =>
      isRead(operation) && among(operation) ? [{ index, read: operation }] : [],
    ),
    pick,
  )

export const MUTATIONS: ReadonlyArray<Mutation> = [
  {
    name: 'an acknowledged element is not in the last read',
    kind: 'lost append',
    mutate: (history, pick) => {
      const found = acknowledged(history, pick, (_, write) => isNewest(history, write))
      if (found === undefined) return undefined
      return history.map((operation) =>
        isRead(operation) && isFinal(operation) && shows(operation, found.write)
          ? { ...operation, values: operation.values.slice(0, -1) }
          : operation,
      )
    },
  },
  {
    name: 'an acknowledged element was overwritten',
    kind: 'lost append',
    mutate: (history, pick) => {
      const found = acknowledged(history, pick)
      if (found === undefined) return undefined
      return [rival(found.write), ...everywhere(history, found.write, 'rival')]
    },
  },
  {
    name: 'an acknowledged element was never seen, and a later one is',
    kind: 'lost append',
    mutate: (history, pick) => {
      const found = acknowledged(history, pick, (_, write) => !isNewest(history, write))
      if (found === undefined) return undefined
      const { stream, value } = found.write
      return history
        .filter((operation) => isFinal(operation) || !shows(operation, found.write))
        .map((operation) =>
          isRead(operation) && isFinal(operation) && operation.stream === stream
            ? without(operation, value)
            : operation,
        )
    },
  },
  {
    name: 'a read shows a ghost',
    kind: 'phantom',
    mutate: (history, pick) => {
      const found = readAmong(history, pick, ({ values }) => values.length > 0)
      if (found === undefined) return undefined
      const ghost = { number: found.read.values[0]?.number ?? 1, value: 'ghost' }
      return history.with(found.index, { ...found.read, values: [ghost, ...found.read.values.slice(1)] })
    },
  },
  {
    name: 'what was read failed',
    kind: 'G1a',
    mutate: (history, pick) => {
      const found = acknowledged(history, pick)
      return found && history.with(found.index, { ...found.operation, outcome: 'failed' })
    },
  },
  {
    name: 'a stream repeats an element',
    kind: 'duplicate append',
    mutate: (history, pick) => {
      const found = readAmong(history, pick, (read) => isFinal(read) && read.values.length > 0)
      const again = found && one(found.read.values, pick)
      if (found === undefined || again === undefined) return undefined
      const values = [...found.read.values, { number: found.read.values.length + 1, value: again.value }]
      return history.with(found.index, { ...found.read, values })
    },
  },
  {
    name: 'a command is recorded again',
    kind: 'duplicate append',
    mutate: (history, pick) => {
      const found = readAmong(history, pick, (read) => isFinal(read) && read.values.length > 0)
      const again = found && one(found.read.values, pick)
      if (found === undefined || again === undefined) return undefined
      const { stream, values, invokedAt } = found.read
      const repeat = { stream, number: values.length + 1, value: again.value }
      const append: Append = {
        kind: 'append',
        process: 'repeater',
        invokedAt: invokedAt - 0.4,
        completedAt: invokedAt - 0.2,
        outcome: 'ok',
        writes: [repeat],
      }
      return [...history.with(found.index, { ...found.read, values: [...values, repeat] }), append]
    },
  },
  {
    name: 'a read swaps two elements',
    kind: 'incompatible order',
    mutate: (history, pick) => {
      const found = readAmong(history, pick, ({ values }) => values.length > 1)
      if (found === undefined) return undefined
      const [first, second, ...rest] = found.read.values
      if (first === undefined || second === undefined) return undefined
      const values = [{ ...first, value: second.value }, { ...second, value: first.value }, ...rest]
      return history.with(found.index, { ...found.read, values })
    },
  },
  {
    name: 'an element changes between two reads',
    kind: 'incompatible order',
    mutate: (history, pick) => {
      const found = acknowledged(
        history,
        pick,
        (_, write) => history.filter((read) => shows(read, write)).length > 1,
      )
      const read = found && readAmong(history, pick, (other) => shows(other, found.write))
      if (found === undefined || read === undefined) return undefined
      return [rival(found.write), ...history.with(read.index, replaced(read.read, found.write, 'rival'))]
    },
  },
  {
    name: 'a read skips an element',
    kind: 'gap',
    mutate: (history, pick) => {
      const found = readAmong(history, pick, (read) => !isFinal(read) && read.values.length > 1)
      if (found === undefined) return undefined
      const at = pick(found.read.values.length - 1)
      return history.with(found.index, { ...found.read, values: found.read.values.toSpliced(at, 1) })
    },
  },
  {
    name: 'a number was passed over',
    kind: 'gap',
    mutate: (history, pick) => {
      const stream = one(
        finals(history).filter(({ stream: name, values }) => !isTried(history, name, values.length + 1)),
        pick,
      )
      if (stream === undefined) return undefined
      const value = { number: stream.values.length + 2, value: 'far' }
      const append: Append = {
        kind: 'append',
        process: 'jumper',
        invokedAt: stream.invokedAt + 1000,
        completedAt: stream.invokedAt + 1001,
        outcome: 'ok',
        writes: [{ ...value, stream: stream.stream }],
      }
      return [...history, append]
    },
  },
  {
    name: 'a strong read misses an acknowledged element',
    kind: 'stale read',
    mutate: (history, pick) => {
      const found = acknowledged(history, pick)
      if (found === undefined) return undefined
      const { stream, number } = found.write
      const final = finals(history).find((read) => read.stream === stream) as Read
      const stored = final.values.slice(0, number - 1).map(({ value }) => value)
      const read = wholeRead(stream, stored, (found.operation.completedAt ?? 0) + 0.25)
      return [...history, { ...read, process: 'stale', completedAt: read.invokedAt + 0.25 }]
    },
  },
  {
    name: 'a transaction lands in part',
    kind: 'torn append',
    mutate: (history, pick) => {
      const found = acknowledged(history, pick, ({ writes }) => writes.length > 1)
      if (found === undefined) return undefined
      const { completedAt: _, ...unanswered } = found.operation
      const unknown: Append = { ...unanswered, outcome: 'indeterminate' }
      return [rival(found.write), ...everywhere(history.with(found.index, unknown), found.write, 'rival')]
    },
  },
]

/** Where streams `x` and `y` end, and appends and reads after all else. */
export interface After {
  readonly x: number
  readonly y: number
  readonly append: (times: Times, places: Places, ends?: Places) => Append
  readonly read: (times: Times, stream: 'x' | 'y', values: ReadonlyArray<string>) => Read
}
/** Relative to the end of the history. */
type Times = readonly [invokedAt: number, completedAt: number | undefined]
/** By how many places beyond the stream's end. */
type Places = { readonly [stream in 'x' | 'y' | 'z']?: number }

const NAMES = { x: 's0', y: 's1', z: 'z' } as const

/** A history of two streams at least, followed by a scene whose values are `x1`, `x2`, `y1`, ... by their places. */
export const scene = (seed: number, operations: number, play: (after: After) => History): History => {
  const before = historyOf({ seed, operations, processes: 4, streams: 2 })
  const start = Math.max(0, ...before.map(({ invokedAt }) => invokedAt)) + 1000
  const stored = (name: string) => finals(before).find((read) => read.stream === name)?.values ?? []
  const ends = { x: stored('s0').length, y: stored('s1').length, z: 0 }
  const placesOf = (places: Places) =>
    (Object.entries(places) as ReadonlyArray<[keyof typeof NAMES, number]>).map(([name, beyond]) => ({
      stream: NAMES[name],
      number: ends[name] + beyond,
      value: `${name}${beyond}`,
    }))
  const timed = ([invokedAt, completedAt]: Times) => ({
    process: `scene ${invokedAt}`,
    invokedAt: start + invokedAt,
    ...(completedAt === undefined ? {} : { completedAt: start + completedAt }),
    outcome: completedAt === undefined ? ('indeterminate' as const) : ('ok' as const),
  })
  const after: After = {
    x: ends.x,
    y: ends.y,
    append: (times, places, unmoved = {}) => ({
      ...timed(times),
      kind: 'append',
      writes: placesOf(places),
      unmoved: placesOf(unmoved).map(({ stream, number }) => ({ stream, number })),
    }),
    read: (times, stream, values) => ({
      ...wholeRead(NAMES[stream], [...stored(NAMES[stream]).map(({ value }) => value), ...values], 0),
      ...timed(times),
    }),
  }
  return [...before, ...play(after)]
}

/** Cycles of two operations at least, by what must and what may be seen in them. */
export const SCENES: ReadonlyArray<{
  readonly name: string
  readonly kind: AnomalyKind
  readonly play: (after: After) => History
}> = [
  {
    name: 'two transactions write two streams in two orders',
    kind: 'G0',
    play: ({ append }) => [append([1, 9], { x: 1, y: 2 }), append([2, 8], { x: 2, y: 1 })],
  },
  {
    name: 'two transactions each see what the other wrote',
    kind: 'G1c',
    play: ({ append }) => [append([1, 9], { x: 1 }, { y: 1 }), append([2, 8], { y: 1 }, { x: 1 })],
  },
  {
    name: 'a transaction sees one part of another and not the other part',
    kind: 'G-single',
    play: ({ append }) => [append([1, 9], { x: 1, y: 1 }), append([2, 8], { z: 1 }, { x: 1, y: 0 })],
  },
  {
    name: 'write skew across two streams',
    kind: 'G2',
    play: ({ append }) => [append([1, 9], { x: 1 }, { y: 0 }), append([2, 8], { y: 1 }, { x: 0 })],
  },
  {
    name: 'an append is acknowledged before the one before it is asked',
    kind: 'G0-realtime',
    play: ({ append }) => [append([1, 2], { x: 2 }), append([3, 4], { x: 1 })],
  },
  {
    name: 'a read sees what is asked later',
    kind: 'G1c-realtime',
    play: ({ append, read }) => [read([1, 2], 'x', ['x1']), append([3, 4], { x: 1 })],
  },
  {
    name: 'a condition holds that was known not to',
    kind: 'G-single-realtime',
    play: ({ append }) => [append([1, 2], { x: 1 }), append([3, 4], { y: 1 }, { x: 0 })],
  },
  {
    name: 'a transaction and two reads see two appends in two orders',
    kind: 'G2-realtime',
    play: ({ append, read }) => [
      append([1, 9], { x: 1 }),
      append([1, 9], { y: 1 }),
      append([1, 9], { z: 1 }, { x: 1, y: 0 }),
      read([2, 3], 'y', ['y1']),
      read([4, 5], 'x', []),
    ],
  },
]

/** Two reads, one after the other, see one part of a transaction and not the other. */
export const TORN_READS = ({ append, read }: After): History => [
  append([1, 9], { x: 1, y: 1 }),
  read([2, 3], 'x', ['x1']),
  read([4, 5], 'y', []),
]

export const kindsOf = (anomalies: ReadonlyArray<Anomaly>): ReadonlyArray<AnomalyKind> => [
  ...new Set(anomalies.map(({ kind }) => kind)),
]
