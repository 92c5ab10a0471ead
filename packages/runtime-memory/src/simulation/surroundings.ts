/**
 * What a service lives among, simulated with it: a payment provider, say, that sends webhooks and whose books have to
 * agree with the log in the end.
 */
import type { GatewayBinding } from '@everfold/core'
import type { GatewayPorts } from './deployment/port-level.ts'
import type { Stage } from './deployment/stage.ts'
import type { Invariant } from './invariant.ts'
import type { Request } from './run.ts'

/** What surroundings are made of: the run's stage without its judge, chance by key, and a client. */
export interface SurroundingsPorts extends Omit<Stage, 'judge' | 'deviates'> {
  /** The number in [0, 1) that the run's seed gives this key. */
  draw(this: void, key: string): number
  /** Sends a command to the service's API until it is answered, as clients do. Not before the run has begun. */
  send(this: void, request: Request): Promise<void>
}

/** What lives beside the service in one run. */
export interface Surroundings {
  /** Bound to what is around, beside those of the simulation; a deployment of its own binds its own. */
  readonly gateways?: (ports: GatewayPorts) => ReadonlyArray<GatewayBinding>
  /** What has to hold of it and of the service together. */
  readonly invariants?: ReadonlyArray<Invariant>
}
