/** What a runtime stands on: ports in memory, or those of real services in their place. */
import type { ChangeStream, Commit, EventStore, KeyRing, ViewStore } from '@everfold/core'
import { memoryChangeStream } from './change-stream.ts'
import { type MemoryEventStore, memoryEventStore } from './event-store.ts'
import type { Kernel, VirtualKernel } from './kernel.ts'
import { memoryKeyRing } from './key-ring.ts'
import type { Subscribers } from './subscribers.ts'
import { memoryViewStore } from './view-store.ts'

export interface RuntimePorts {
  readonly store: EventStore
  /** Commits of all streams, in the order in which they were appended; only where the store has them at hand. */
  readonly log?: ReadonlyArray<Commit>
  readonly changes: ChangeStream
  /** Tells of every append; without it the change stream is polled. */
  readonly subscribe?: Subscribers['subscribe']
  readonly views: ViewStore
  readonly keys: KeyRing
}

export interface MemoryPorts extends RuntimePorts {
  readonly store: MemoryEventStore
  readonly log: ReadonlyArray<Commit>
}

/** What is there already, of an earlier runtime or made otherwise; the rest is made empty. */
export type GivenPorts = Partial<Omit<MemoryPorts, 'log'>>

/** A store of another make, with the stream of its changes: in no memory is anything of them. */
export type ForeignPorts = Pick<RuntimePorts, 'store' | 'changes'> & Partial<RuntimePorts>

export const portsOf = (kernel: Kernel, given: GivenPorts | ForeignPorts): RuntimePorts => {
  const rest = () => ({ views: memoryViewStore(kernel), keys: memoryKeyRing(kernel) })
  const { store = memoryEventStore(kernel), changes } = given
  if (!isMemory(store)) {
    if (changes === undefined) throw new Error('a store comes with the stream of its changes')
    return { ...rest(), ...given, store, changes }
  }
  const { log, subscribe } = store
  return { ...rest(), subscribe, changes: memoryChangeStream(kernel, store), ...given, store, log }
}

const isMemory = (store: EventStore): store is MemoryEventStore => 'log' in store && 'subscribe' in store

/**
 * A port whose calls are real work: on a virtual kernel nothing else moves until each has settled, so that a run on
 * real services goes through the same steps as one in memory.
 */
export const outside = <Port extends EventStore | ChangeStream | ViewStore | KeyRing>(
  kernel: Pick<VirtualKernel, 'outside'>,
  port: Port,
): Port => {
  type Call = (...of: ReadonlyArray<unknown>) => () => Promise<unknown>
  const calls = Object.entries(port as unknown as { readonly [name: string]: Call })
  return Object.fromEntries(
    calls.map(([name, call]): [string, Call] => [
      name,
      (...of) => {
        const work = call(...of)
        return () => kernel.outside(work)
      },
    ]),
  ) as unknown as Port
}
