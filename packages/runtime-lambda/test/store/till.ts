/** A till that takes payments up to a limit: the smallest aggregate with something to refuse and something to count. */
import {
  accept,
  type Decision,
  aggregate as defineAggregate,
  integer,
  plainSnapshot,
  record,
  reject,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'

const Amount = integer('Amount', 1, 1_000_000)

const Event = union(
  'TillEvent',
  variant('Taken', { amount: Amount, note: text('Note', { maxLength: 600_000 }) }),
)
export type TillEvent = TypeOf<typeof Event>

const Command = union(
  'TillCommand',
  variant('Take', { amount: Amount, note: text('Note', { maxLength: 600_000 }) }),
)
export type TillCommand = TypeOf<typeof Command>

const Rejection = union('TillRejection', variant('TillFull', { holds: integer('Total', 0) }))
export type TillRejection = TypeOf<typeof Rejection>

const Till = record('Till', { holds: integer('Total', 0) })
export type Till = TypeOf<typeof Till>

const LIMIT = 400

const decide = ({ amount, note }: TillCommand, { holds }: Till): Decision<TillRejection, TillEvent> =>
  holds + amount > LIMIT ? reject({ _tag: 'TillFull', holds }) : accept({ _tag: 'Taken', amount, note })

export const till = defineAggregate<TillCommand, Till, TillEvent, TillRejection>({
  name: 'till',
  initial: { holds: 0 } as Till,
  evolve: ({ holds }, { amount }) => ({ holds: holds + amount }) as Till,
  decide,
  command: Command,
  event: Event,
  rejection: Rejection,
  snapshot: plainSnapshot(Till),
  reducer: 1,
})
