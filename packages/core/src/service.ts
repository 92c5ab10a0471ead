/** A service lists a domain's parts. Local runs and tests interpret the whole; a Lambda entrypoint imports its parts. */
import type { AnyAggregate } from './aggregate.ts'
import type { AnyGateway } from './gateway.ts'
import type { AnyProcess } from './process.ts'
import type { Projection } from './projection.ts'
import type { Route } from './route.ts'

export interface Service {
  readonly name: string
  readonly aggregates: ReadonlyArray<AnyAggregate>
  readonly projections: ReadonlyArray<Projection>
  readonly processes: ReadonlyArray<AnyProcess>
  readonly gateways: ReadonlyArray<AnyGateway>
  readonly routes: ReadonlyArray<Route>
}
