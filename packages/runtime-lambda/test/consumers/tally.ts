/**
 * A tally, the domain of the consumers' tests: marks are made on it, and a bank is asked to pay out for some.
 *
 * Stream `tally/{tallyId}`. Invariant: nothing is paid that was not asked.
 */
import {
  accept,
  type Decision,
  type Dispatch,
  aggregate as defineAggregate,
  deriveId,
  envelope,
  gateway,
  integer,
  type Message,
  messageOf,
  plainSnapshot,
  record,
  reject,
  type StreamName,
  streamName,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'

const Mark = text('Mark', { maxLength: 20 })
const Count = integer('Count', 0)

const TallyEvent = union(
  'TallyEvent',
  variant('Marked', { mark: Mark }),
  variant('PayoutAsked', { mark: Mark }),
  variant('Paid', { mark: Mark }),
)
type TallyEvent = TypeOf<typeof TallyEvent>

const Tally = record('Tally', { marks: Count, owed: Count })
type Tally = TypeOf<typeof Tally>

const count = (value: number): Tally['marks'] => value as Tally['marks']

const evolve = (tally: Tally, event: TallyEvent): Tally => {
  switch (event._tag) {
    case 'Marked':
      return { ...tally, marks: count(tally.marks + 1) }
    case 'PayoutAsked':
      return { ...tally, owed: count(tally.owed + 1) }
    case 'Paid':
      return { ...tally, owed: count(tally.owed - 1) }
  }
}

const TallyCommand = union(
  'TallyCommand',
  variant('Make', { mark: Mark }),
  variant('AskPayout', { mark: Mark }),
  variant('RecordPayout', { mark: Mark }),
)
export type TallyCommand = TypeOf<typeof TallyCommand>

const TallyRejection = union('TallyRejection', variant('NothingOwed'))
type TallyRejection = TypeOf<typeof TallyRejection>

const decide = (command: TallyCommand, tally: Tally): Decision<TallyRejection, TallyEvent> => {
  const { mark } = command
  switch (command._tag) {
    case 'Make':
      if (mark === 'bomb') throw new Error('a decider that is not total')
      return accept({ _tag: 'Marked', mark })
    case 'AskPayout':
      return accept({ _tag: 'PayoutAsked', mark })
    case 'RecordPayout':
      return tally.owed === 0 ? reject({ _tag: 'NothingOwed' }) : accept({ _tag: 'Paid', mark })
  }
}

export const aggregate = defineAggregate<TallyCommand, Tally, TallyEvent, TallyRejection>({
  name: 'tally',
  command: TallyCommand,
  event: TallyEvent,
  rejection: TallyRejection,
  snapshot: plainSnapshot(Tally),
  reducer: 1,
  initial: { marks: count(0), owed: count(0) },
  evolve,
  decide,
})

export const bank = gateway({
  name: 'bank',
  aggregate,
  hears: ['PayoutAsked'],
  keyHorizonMs: 24 * 3_600_000,
})

// Messages

/** The first of January 2026. */
export const TIME_MS = 1_767_225_600_000

export const tallyStream = (id: string): StreamName => streamName('tally', id)

export const command = (_tag: TallyCommand['_tag'], mark: string): TallyCommand =>
  ({ _tag, mark }) as TallyCommand

/** A command on its way to a tally; its id comes from its mark, so the same mark is the same command. */
export const dispatch = (id: string, asked: TallyCommand): Dispatch => {
  const stream = tallyStream(id)
  const commandId = deriveId(TIME_MS, stream, asked._tag, asked.mark)
  return { _tag: 'Dispatch', stream, envelope: envelope(asked, { id: commandId, timeMs: TIME_MS }) }
}

export const make = (id: string, mark: string): Message => messageOf(dispatch(id, command('Make', mark)))
