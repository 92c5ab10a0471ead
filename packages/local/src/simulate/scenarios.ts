/** What `pnpm simulate` runs, by name. */
import { type Simulation, type SimulationOptions, simulation } from '@everfold/runtime-memory/simulation'
import { bank, busyBank, smallBank } from './bank.ts'
import { bankAtCounter, requestOf } from './bank-http.ts'
import { courierRounds } from './courier-rounds.ts'
import { deploying } from './deploy.ts'
import { onLambda } from './on-lambda.ts'

type Level = 'ports' | 'sdk'

export interface Scenario {
  readonly name: string
  readonly level: Level
  /** In a few words. */
  readonly what: string
  /** How many seeds it is run with unless told. */
  readonly seeds: number
  open(this: void): Promise<Simulation>
}

const onPorts = (options: SimulationOptions) => () => Promise.resolve(simulation(options))

const onAws = (options: SimulationOptions) => async () =>
  simulation({ ...options, deployment: await onLambda({ execute: options.execute ?? {} }) })

export const scenarios: ReadonlyArray<Scenario> = [
  {
    name: 'bank',
    level: 'ports',
    what: 'deposits and withdrawals, over core’s ports',
    seeds: 2000,
    open: onPorts(bank),
  },
  {
    name: 'bank-on-lambda',
    level: 'sdk',
    what: 'the same with runtime-lambda and the AWS SDK',
    seeds: 100,
    open: onAws(bank),
  },
  {
    name: 'busy-bank',
    level: 'ports',
    what: 'one busy account, whose handlers remember little',
    seeds: 1000,
    open: onPorts(busyBank),
  },
  {
    name: 'busy-bank-on-lambda',
    level: 'sdk',
    what: 'the same with runtime-lambda and the AWS SDK',
    seeds: 60,
    open: onAws(busyBank),
  },
  {
    name: 'bank-at-counter',
    level: 'sdk',
    what: 'the same over HTTP, with clients that repeat their requests',
    seeds: 100,
    open: async () => simulation({ ...bankAtCounter, deployment: await onLambda({ http: requestOf }) }),
  },
  {
    name: 'deploy',
    level: 'ports',
    what: 'the same while new code is deployed, whose events the old cannot read',
    seeds: 2000,
    open: onPorts(deploying),
  },
  {
    name: 'deploy-on-lambda',
    level: 'sdk',
    what: 'the same with runtime-lambda and the AWS SDK',
    seeds: 100,
    open: onAws(deploying),
  },
  {
    name: 'courier',
    level: 'ports',
    what: 'parcels, a van that may be full, timers and a doorbell, for two tenants, while a view is rebuilt',
    seeds: 500,
    open: () => Promise.resolve(simulation(courierRounds().options)),
  },
  {
    name: 'courier-on-lambda',
    level: 'sdk',
    what: 'the same with runtime-lambda and the AWS SDK',
    seeds: 60,
    open: async () => {
      const { options, lambda } = courierRounds()
      return simulation({ ...options, deployment: await onLambda(lambda) })
    },
  },
  {
    name: 'order',
    level: 'ports',
    what: 'orders through the whole shop, with a Stripe that has faults of its own',
    seeds: 200,
    open: async () => simulation((await import('./shop/order.ts')).orderScenario()),
  },
  {
    name: 'hot-sku',
    level: 'ports',
    what: 'many buyers of one item of which there is too little',
    seeds: 1000,
    open: async () => simulation((await import('./shop/hot-sku.ts')).hotSkuScenario()),
  },
  {
    name: 'payment',
    level: 'ports',
    what: 'payments alone, at a Stripe that has faults of its own',
    seeds: 300,
    open: async () => simulation((await import('./shop/payment.ts')).paymentScenario()),
  },
]

/** Those of these names, in their own order; all of them where none is named. */
export const chosen = (names: ReadonlyArray<string>): ReadonlyArray<Scenario> =>
  scenarios.filter(({ name }) => names.length === 0 || names.includes(name))

/** All faults and all pairs of faults of this are tried. */
export const smallScope: Scenario = {
  name: 'small',
  level: 'ports',
  what: 'one stream, two commands, over core’s ports',
  seeds: 1,
  open: onPorts(smallBank),
}
