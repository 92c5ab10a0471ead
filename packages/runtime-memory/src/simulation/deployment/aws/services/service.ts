/** A simulated service: what it holds, and where requests find it. What follows from a change is the service's own matter. */
import type { Stage } from '../../stage.ts'
import type { Endpoint } from '../transport.ts'

export interface Service<State> {
  readonly endpoints: ReadonlyArray<Endpoint>
  /** A value that never changes: what it holds just now. */
  state(this: void): State
}

/** When something happens to a model, by the run's time. */
export const atOf = ({ kernel }: Stage, deviation: string | undefined) => ({
  nowMs: kernel.nowMs(),
  ...(deviation === undefined ? {} : { deviation }),
})
