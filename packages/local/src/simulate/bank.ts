/**
 * A bank of one kind of account: the smallest service that has all that runs on AWS, for trying all faults and all pairs
 * of faults on it, and for showing what a simulation is.
 *
 * Stream `account/{accountId}`. Invariant: no account is ever overdrawn, and no money is made or lost.
 */
import {
  accept,
  aggregate as defineAggregate,
  from,
  type Heard,
  hear,
  integer,
  type Process,
  type Projection,
  plainSnapshot,
  record,
  reject,
  type Service,
  streamParts,
  type TypeOf,
  union,
  variant,
} from '@everfold/core'
import {
  always,
  alwaysOverall,
  type Invariant,
  type SimulationOptions,
  sometimes,
  type Workload,
} from '@everfold/runtime-memory/simulation'
import { sometimesRefused } from './happening.ts'

export const Cents = integer('Cents', 0)

const AccountEvent = union(
  'AccountEvent',
  variant('Deposited', { cents: Cents }),
  variant('Withdrawn', { cents: Cents }),
)
type AccountEvent = TypeOf<typeof AccountEvent>

const Account = record('Account', { cents: Cents, movements: Cents })
export type Account = TypeOf<typeof Account>

const AccountCommand = union(
  'AccountCommand',
  variant('Deposit', { cents: Cents }),
  variant('Withdraw', { cents: Cents }),
)
export type AccountCommand = TypeOf<typeof AccountCommand>

const AccountRejection = union('AccountRejection', variant('Overdrawn', { cents: Cents }))
export type AccountRejection = TypeOf<typeof AccountRejection>

const plus = (one: number, other: number): TypeOf<typeof Cents> => (one + other) as TypeOf<typeof Cents>

export const account = defineAggregate<AccountCommand, Account, AccountEvent, AccountRejection>({
  name: 'account',
  command: AccountCommand,
  event: AccountEvent,
  rejection: AccountRejection,
  snapshot: plainSnapshot(Account),
  reducer: 1,
  initial: { cents: plus(0, 0), movements: plus(0, 0) },
  evolve: ({ cents, movements }, event) => ({
    cents: plus(cents, event._tag === 'Deposited' ? event.cents : 0 - event.cents),
    movements: plus(movements, 1),
  }),
  decide: (command, { cents }) => {
    if (command._tag === 'Deposit') return accept({ _tag: 'Deposited', cents: command.cents })
    return command.cents > cents
      ? reject({ _tag: 'Overdrawn', cents })
      : accept({ _tag: 'Withdrawn', cents: command.cents })
  },
})

/** Any version of the account's code. */
export type AccountCode = typeof account

const balances = (of: AccountCode): Projection => ({
  name: 'balances',
  generation: '1',
  sources: [
    from(of, ({ event, stream }) => [
      {
        pk: 'BALANCE',
        sk: streamParts(stream).id,
        change: (value) =>
          plus(Number(value ?? 0), event._tag === 'Deposited' ? event.cents : 0 - event.cents),
      },
    ]),
  ],
})

/** Counts what it hears, so that whatever is told twice would show. */
const auditor = (of: AccountCode): Process<{ readonly heard: number }, AccountEvent, never> => ({
  name: 'auditor',
  hears: [hear(of, ({ stream }) => streamParts(stream).id)],
  asks: [],
  initial: { heard: 0 },
  evolve: ({ heard }, _heard: Heard<AccountEvent, never>) => ({ heard: heard + 1 }),
  react: () => [],
})

export const serviceOf = (of: AccountCode): Service => ({
  name: 'bank',
  aggregates: [of],
  projections: [balances(of)],
  processes: [auditor(of)],
  gateways: [],
  routes: [],
})

const service = serviceOf(account)

const invariants: ReadonlyArray<Invariant> = [
  always('no account is overdrawn', account, ({ cents }) => cents >= 0),
  alwaysOverall('no auditor hears of more than happened', ({ log }) => {
    const count = (category: string) =>
      log
        .filter(({ stream }) => streamParts(stream).category === category)
        .flatMap(({ answers }) => answers.flatMap(({ events }) => events)).length
    return count('auditor') <= count('account')
  }),
]

/** Without these, the runs would not have tried what an account is for. */
const happenings: ReadonlyArray<Invariant> = [
  sometimes('an account moves three times', account, ({ movements }) => movements >= 3),
  sometimesRefused('a withdrawal is refused', account, 'Overdrawn'),
]

/** Movements on a few accounts. */
const workload: Workload = (random) =>
  Array.from({ length: 6 }, (_, at) => ({
    aggregate: account,
    id: `a${Math.floor(random() * 2)}`,
    command: { _tag: random() < 0.6 ? 'Deposit' : 'Withdraw', cents: 1 + Math.floor(random() * 50) },
    client: `client ${(at % 3) + 1}`,
    afterMs: Math.floor(random() * 1500),
    // Some clients have keys of their own, which carry no date.
    ...(random() < 0.3 ? { key: `key ${at}` } : {}),
  }))

export const bank: SimulationOptions = { service, workload, invariants: [...invariants, ...happenings] }

/**
 * Many movements on one account, by clients with keys of their own, where little is remembered: so snapshots, markers
 * and the way back through the log are reached.
 */
export const busyBank: SimulationOptions = {
  service,
  invariants: [...invariants, ...happenings],
  execute: { snapshotEvery: 3, remembered: 2 },
  workload: (random) =>
    Array.from({ length: 14 }, (_, at) => ({
      aggregate: account,
      id: 'a',
      command: { _tag: random() < 0.6 ? 'Deposit' : 'Withdraw', cents: 1 + Math.floor(random() * 50) },
      client: `client ${(at % 3) + 1}`,
      afterMs: Math.floor(random() * 6000),
      ...(random() < 0.7 ? { key: `key ${at}` } : {}),
    })),
}

/** One stream, two commands at once. */
export const smallBank: SimulationOptions = {
  service,
  invariants,
  workload: () => [
    { aggregate: account, id: 'a', command: { _tag: 'Deposit', cents: 3 } },
    { aggregate: account, id: 'a', command: { _tag: 'Withdraw', cents: 2 } },
  ],
}
