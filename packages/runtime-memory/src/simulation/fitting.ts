/**
 * Whether the parts of a simulation fit together. What does not is told before anything runs: else an invariant would
 * never be judged, or a gateway's call look like a message that was lost.
 */
import { aggregatesOf, type GatewayBinding, type Service } from '@everfold/core'
import type { Invariant } from './invariant.ts'

interface Fitting {
  readonly service: Service
  readonly deploys?: ReadonlyArray<{ readonly service: Service }>
  readonly invariants?: ReadonlyArray<Invariant>
}

/** Throws where two parts of a service have one name, or an invariant is about an aggregate that there is not. */
export const checkOptions = ({ service, deploys = [], invariants = [] }: Fitting): void => {
  const services = [service, ...deploys.map((deploy) => deploy.service)]
  for (const one of services) checkNames(one)
  const known = [...new Set(services.flatMap((one) => Array.from(aggregatesOf(one).keys())))]
  for (const { name, aggregate } of invariants)
    if (aggregate !== undefined && !known.includes(aggregate.name))
      throw new Error(
        `the invariant "${name}" is about an aggregate that the service has not, ${aggregate.name}; it has ${known.join(', ')}`,
      )
}

/** A process is an aggregate too, and its streams are named after it. */
const checkNames = ({ name, aggregates, processes, projections, gateways }: Service): void => {
  const twice = (what: string, names: ReadonlyArray<string>) => {
    const again = names.find((one, at) => names.indexOf(one) !== at)
    if (again !== undefined) throw new Error(`two ${what} of the service ${name} are named ${again}`)
  }
  twice('aggregates or processes', names([...aggregates, ...processes]))
  twice('gateways', names(gateways))
  twice(
    'views of one generation',
    projections.map((projection) => `${projection.name}#${projection.generation}`),
  )
}

const names = (parts: ReadonlyArray<{ readonly name: string }>): ReadonlyArray<string> =>
  parts.map(({ name }) => name)

/** Throws where a gateway has no implementation. */
export const checkBindings = (
  services: ReadonlyArray<Service>,
  bindings: ReadonlyArray<GatewayBinding>,
): void => {
  const bound = new Set(bindings.map(({ gateway }) => gateway.name))
  for (const { name, gateways } of services) {
    const unbound = gateways.find((gateway) => !bound.has(gateway.name))
    if (unbound !== undefined)
      throw new Error(
        `the gateway ${unbound.name} of the service ${name} is bound to no implementation; bind it in \`gateways\`, or in \`surroundings\``,
      )
  }
}
