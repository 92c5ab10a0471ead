/** Drives the event source mapping of a stream: hands batches to a function when they are due, and takes its answers. */
import {
  type Discarded,
  type Invocation,
  type ListedShard,
  type Passed,
  pending,
  type StreamMapping,
  type StreamMappingSettings,
  type StreamMappingStep,
  type StreamRecord,
  streamMapping,
} from '../models/event-source-mapping/index.ts'
import type { SimulatedFunction } from './lambda.ts'
import type { Stage } from './stage.ts'

export interface StreamMappingOptions<Value> {
  readonly name: string
  readonly settings: StreamMappingSettings<Value>
  readonly target: SimulatedFunction<Invocation<Value>, unknown>
  /** How a record is called in a trace. */
  readonly nameOf: (value: Value) => string
  /** The checkpoint passed these. */
  readonly passed: (passed: ReadonlyArray<Passed<Value>>) => void
  readonly discarded?: (discarded: ReadonlyArray<Discarded<Value>>) => void
}

export interface DrivenMapping<Value> {
  arrived(this: void, records: ReadonlyArray<StreamRecord<Value>>): void
  listed(this: void, shards: ReadonlyArray<ListedShard>): void
}

/** A mapping polls each shard four times a second. Source: Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB" (2026-11). */
const POLL_MS = 250

/** How many of the records that wait a poll is named by. */
const NAMED = 4

export const drivenMapping = <Value>(
  { kernel, choose, tell, lane }: Stage,
  options: StreamMappingOptions<Value>,
): DrivenMapping<Value> => {
  const { name, target, nameOf } = options
  const mapping: StreamMapping<Value> = streamMapping(options.settings)
  const actor = `mapping of ${name}`
  lane(actor, actor)
  let { initial: state } = mapping
  const polls = new Map<string, number>()
  let wakeMs = Number.POSITIVE_INFINITY
  let cancel: (() => void) | undefined
  const wake = (atMs: number) => {
    if (wakeMs <= atMs) return
    cancel?.()
    wakeMs = atMs
    cancel = kernel.at(atMs, `${actor} polls`, () => {
      wakeMs = Number.POSITIVE_INFINITY
      poll()
    })
  }
  const took = (step: StreamMappingStep<Value>) => {
    ;({ state } = step)
    if (step.passed.length > 0) options.passed(step.passed)
    if (step.discarded.length > 0) options.discarded?.(step.discarded)
    for (const invocation of step.invocations) void invoke(invocation)
    if (step.wakeMs !== undefined) wake(step.wakeMs)
  }
  /** Named by what waits, so that a poll that finds the same has the same name in other runs too. */
  const keyOfPoll = (): string => {
    const names = [...state.shards.keys()].flatMap((shard) =>
      pending(state, shard).map(({ value }) => nameOf(value)),
    )
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
    const asked = `${actor}: polls ${names.slice(0, NAMED).join(' ')}${more}`
    const attempt = (polls.get(asked) ?? 0) + 1
    polls.set(asked, attempt)
    return `${asked} #${attempt}`
  }
  const poll = () => {
    const offers = mapping.offers(state, kernel.nowMs())
    const key = offers.length === 0 ? actor : keyOfPoll()
    const deviation =
      offers.length === 0 ? undefined : choose(key, offers, { port: 'event source mapping', operation: name })
    if (deviation !== undefined) tell({ lane: actor, operation: 'polls', subject: name, key, deviation })
    took(mapping.next(state, { nowMs: kernel.nowMs(), ...(deviation === undefined ? {} : { deviation }) }))
  }
  const invoke = async (invocation: Invocation<Value>): Promise<void> => {
    const [first] = invocation.records
    const what = first === undefined ? 'the end of a window' : nameOf(first.value)
    const outcome = await target.invoke(what, invocation)
    took(mapping.answered(state, invocation.id, outcome, kernel.nowMs()))
    wake(kernel.nowMs())
  }
  return {
    arrived: (records) => {
      ;({ state } = mapping.arrived(state, records))
      wake(kernel.nowMs() + POLL_MS)
    },
    listed: (shards) => {
      state = mapping.listed(state, shards)
      wake(kernel.nowMs() + POLL_MS)
    },
  }
}
