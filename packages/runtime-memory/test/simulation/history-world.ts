/**
 * A store that is right, and clients that use it at the same time: makes histories which happened, from a seed.
 *
 * Each transaction takes effect at one moment between its question and its answer; one whose answer is lost may take
 * effect after its client gave up, or never.
 */

import { sequence } from '../../src/random.ts'
import type { Append, End, Operation, Read, Write } from '../../src/simulation/history/operation.ts'

export interface World {
  readonly seed: number
  readonly operations: number
  readonly processes: number
  readonly streams: number
  /** No operation is asked while another goes on. */
  readonly oneByOne?: boolean
  /** Ends with a strong read of every stream, after everything has landed. */
  readonly finalReads?: boolean
}

interface Pending {
  readonly index: number
  /** What the operation does to the store, once. */
  effect: (() => Partial<Operation>) | undefined
  answer: Partial<Operation>
  /** Whether its client hears of it. */
  readonly heard: boolean
}

export const historyOf = (world: World): ReadonlyArray<Operation> => {
  const chance = sequence(`${world.seed}`)
  const pick = (below: number) => Math.floor(chance() * below)
  const streams = new Map<string, Array<string>>()
  const pasts = new Map<string, Array<ReadonlyArray<string>>>()
  const names = Array.from({ length: world.streams }, (_, at) => `s${at}`)
  for (const name of names) {
    streams.set(name, [])
    pasts.set(name, [[]])
  }
  const history: Array<Operation> = []
  const busy = new Map<string, Pending>()
  const late: Array<Pending> = []
  let step = 0
  const stored = (name: string) => streams.get(name) ?? []
  const guess = (name: string) => Math.max(0, stored(name).length - (chance() < 0.1 ? 1 : 0))

  const appendEffect = (append: Append) => (): Partial<Append> => {
    const moved = (append.unmoved ?? []).some(({ stream, number }) => stored(stream).length !== number)
    if (moved || append.writes.some(({ stream, number }) => stored(stream).length !== number - 1))
      return { outcome: 'failed' }
    for (const { stream, value } of append.writes) {
      stored(stream).push(value)
      pasts.get(stream)?.push([...stored(stream)])
    }
    return { outcome: 'ok' }
  }
  const readEffect = (read: Read) => (): Partial<Read> => {
    const past = pasts.get(read.stream) ?? []
    const list =
      read.consistency === 'strong' ? stored(read.stream) : (past[pick(past.length)] as ReadonlyArray<string>)
    const all = list.map((value, at) => ({ number: at + 1, value }))
    const most = chance() < 0.3 ? 1 + pick(3) : Number.POSITIVE_INFINITY
    const values = all.filter(({ number }) => number >= read.from).slice(0, most)
    const last = values.at(-1)?.number ?? 0
    return { outcome: 'ok', values, ...(last === all.length || values.length === 0 ? {} : { to: last }) }
  }
  const newAppend = (process: string, id: number): Append => {
    const shuffled = names.toSorted(() => chance() - 0.5)
    const together = chance() < 0.35 ? 1 + pick(Math.min(3, names.length)) : 1
    const writes: ReadonlyArray<Write> = shuffled
      .slice(0, together)
      .map((stream) => ({ stream, number: guess(stream) + 1, value: `v${id}` }))
    const unmoved: ReadonlyArray<End> =
      chance() < 0.25
        ? shuffled.slice(together, together + 1).map((stream) => ({ stream, number: guess(stream) }))
        : []
    return { kind: 'append', process, invokedAt: step, outcome: 'indeterminate', writes, unmoved }
  }
  const newRead = (process: string): Read => ({
    kind: 'read',
    process,
    invokedAt: step,
    outcome: 'indeterminate',
    stream: names[pick(names.length)] as string,
    from: chance() < 0.8 ? 1 : 1 + pick(3),
    values: [],
    consistency: chance() < 0.8 ? 'strong' : 'eventual',
  })
  const ask = (process: string) => {
    const operation = chance() < 0.55 ? newAppend(process, history.length) : newRead(process)
    const effect = operation.kind === 'append' ? appendEffect(operation) : readEffect(operation)
    const index = history.push(operation) - 1
    busy.set(process, { index, effect, answer: {}, heard: chance() < 0.85 })
  }
  const apply = (pending: Pending) => {
    if (pending.effect === undefined) return
    pending.answer = pending.effect()
    pending.effect = undefined
  }
  const complete = (process: string, pending: Pending) => {
    busy.delete(process)
    const operation = history[pending.index] as Operation
    if (pending.heard) {
      apply(pending)
      history[pending.index] = { ...operation, ...pending.answer, completedAt: step } as Operation
      return
    }
    // A client that crashed has no answer, and one that gave up has: that nobody knows.
    if (chance() < 0.5) history[pending.index] = { ...operation, completedAt: step }
    if (chance() < 0.6) late.push(pending)
  }
  while (history.length < world.operations || busy.size > 0) {
    step += 1
    const process = `p${pick(world.processes)}`
    const pending = busy.get(process)
    if (late.length > 0 && chance() < 0.2) apply(late.splice(pick(late.length), 1)[0] as Pending)
    else if (pending !== undefined) {
      if (pending.effect !== undefined && chance() < 0.5) apply(pending)
      else complete(process, pending)
    } else if (history.length < world.operations && (world.oneByOne !== true || busy.size === 0)) ask(process)
  }
  if (world.finalReads !== false) {
    late.forEach(apply)
    for (const stream of names) history.push(wholeRead(stream, stored(stream), (step += 1)))
  }
  return history
}

/** A strong read of all of a stream at one step. */
export const wholeRead = (stream: string, values: ReadonlyArray<string>, at: number): Read => ({
  kind: 'read',
  process: 'final',
  invokedAt: at,
  completedAt: at + 0.5,
  outcome: 'ok',
  stream,
  from: 1,
  values: values.map((value, index) => ({ number: index + 1, value })),
  consistency: 'strong',
})
