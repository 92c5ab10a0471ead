/**
 * The bank while new code of it is deployed, in which a deposit tells who took it: what the old code wrote is read through
 * an upcaster, and what the new code writes the old cannot read, though warm sandboxes run it for a while.
 */
import {
  accept,
  aggregate as defineAggregate,
  reject,
  type Service,
  streamParts,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'
import { type Invariant, type SimulationOptions, sometimesOverall } from '@everfold/runtime-memory/simulation'
import {
  type Account,
  type AccountCode,
  type AccountCommand,
  type AccountRejection,
  account,
  bank,
  Cents,
  serviceOf,
} from './bank.ts'

const Teller = text('Teller')
const ANNA = 'anna' as TypeOf<typeof Teller>

const AccountEvent = union(
  'AccountEvent',
  variant('Deposited', { cents: Cents, teller: Teller }),
  variant('Withdrawn', { cents: Cents }),
)
type AccountEvent = TypeOf<typeof AccountEvent>

const withTellers = defineAggregate<AccountCommand, Account, AccountEvent, AccountRejection>({
  ...account,
  event: AccountEvent,
  upcasters: { Deposited: [(event) => ({ ...event, teller: 'nobody knows' })] },
  decide: (command, { cents }) => {
    if (command._tag === 'Deposit') return accept({ _tag: 'Deposited', cents: command.cents, teller: ANNA })
    return command.cents > cents
      ? reject({ _tag: 'Overdrawn', cents })
      : accept({ _tag: 'Withdrawn', cents: command.cents })
  },
})

/** Its events are those of the old code, and more. */
const newCode = withTellers as unknown as AccountCode

/** Without it, no run would have had both. */
const OLD_AFTER_NEW: Invariant = sometimesOverall('old code writes after new code has written', ({ log }) => {
  const deposits = log
    .filter(({ stream }) => streamParts(stream).category === account.name)
    .flatMap(({ answers }) =>
      answers.flatMap(({ events }) => events.filter(({ _tag }) => _tag === 'Deposited')),
    )
  const last = deposits.at(-1)
  return last !== undefined && !('teller' in last) && deposits.some((deposit) => 'teller' in deposit)
})

const deployed = (service: Service, newer: Service): SimulationOptions => ({
  ...bank,
  service,
  invariants: [...(bank.invariants ?? []), OLD_AFTER_NEW],
  deploys: [{ afterMs: 800, service: newer }],
})

/** The auditor is told by messages: a new relay sends what an old consumer cannot read. */
export const deploying: SimulationOptions = deployed(serviceOf(account), serviceOf(newCode))

/** New code that has forgotten its upcaster. */
export const deployingForgetful: SimulationOptions = deployed(
  serviceOf(account),
  serviceOf({ ...newCode, upcasters: {} }),
)
