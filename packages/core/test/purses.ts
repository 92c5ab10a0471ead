/**
 * Purses of coins, the domain of the tests of transactions: what one gives another gets.
 *
 * Stream `purse/{owner}`. Invariant: no purse gives more than it has.
 */
import {
  accept,
  type Decision,
  aggregate as defineAggregate,
  integer,
  plainSnapshot,
  record,
  reject,
  type TypeOf,
  union,
  variant,
} from '@everfold/core'

const Coins = integer('Coins', 1, 1_000_000)

const PurseEvent = union('PurseEvent', variant('Got', { coins: Coins }), variant('Given', { coins: Coins }))
export type PurseEvent = TypeOf<typeof PurseEvent>

const Purse = record('Purse', { coins: integer('Balance', 0) })
export type Purse = TypeOf<typeof Purse>

export const initial = { coins: 0 } as Purse

export const evolve = ({ coins }: Purse, event: PurseEvent): Purse =>
  ({ coins: event._tag === 'Got' ? coins + event.coins : coins - event.coins }) as Purse

const PurseCommand = union(
  'PurseCommand',
  variant('Get', { coins: Coins }),
  variant('Give', { coins: Coins }),
  /** Changes nothing; it only takes part. */
  variant('Watch'),
)
export type PurseCommand = TypeOf<typeof PurseCommand>

const PurseRejection = union('PurseRejection', variant('TooPoor', { wanted: Coins }))
export type PurseRejection = TypeOf<typeof PurseRejection>

export const decide = (command: PurseCommand, { coins }: Purse): Decision<PurseRejection, PurseEvent> => {
  switch (command._tag) {
    case 'Get':
      return accept({ _tag: 'Got', coins: command.coins })
    case 'Give':
      return command.coins > coins
        ? reject({ _tag: 'TooPoor', wanted: command.coins })
        : accept({ _tag: 'Given', coins: command.coins })
    case 'Watch':
      return accept()
  }
}

export const aggregate = defineAggregate<PurseCommand, Purse, PurseEvent, PurseRejection>({
  name: 'purse',
  initial,
  evolve,
  decide,
  command: PurseCommand,
  event: PurseEvent,
  rejection: PurseRejection,
  reducer: 1,
  snapshot: plainSnapshot(Purse),
})
