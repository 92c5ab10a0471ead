/**
 * The domain of these tests: a tally that points are counted on up to a limit, and paid out from by a bank; with a view
 * whose rows tell which commits made them, and in which order.
 *
 * Stream `tally/{tallyId}`. Invariant: nothing is asked of the bank that was not counted before.
 */
import {
  accept,
  type Commit,
  type Decision,
  type Dispatch,
  aggregate as defineAggregate,
  deriveId,
  envelope,
  from,
  gateway,
  integer,
  type Message,
  messageOf,
  type Projection,
  plainSnapshot,
  record,
  reject,
  type Service,
  type StreamName,
  streamName,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'

const Note = text('Note', { maxLength: 2_000_000 })
const Points = integer('Points', 0, 1000)

const TallyEvent = union(
  'TallyEvent',
  variant('Counted', { note: Note }, { points: Points }),
  variant('PayoutAsked', { note: Note }, { points: Points }),
  variant('Paid', { note: Note }),
)
export type TallyEvent = TypeOf<typeof TallyEvent>

const Tally = record('Tally', { total: integer('Total') })
type Tally = TypeOf<typeof Tally>

const totalOf = (value: number): Tally['total'] => value as Tally['total']

const evolve = ({ total }: Tally, event: TallyEvent): Tally => {
  switch (event._tag) {
    case 'Counted':
      return { total: totalOf(total + (event.points ?? 1)) }
    case 'PayoutAsked':
      return { total: totalOf(total - (event.points ?? 0)) }
    case 'Paid':
      return { total }
  }
}

const TallyCommand = union(
  'TallyCommand',
  /** One point unless told; none changes nothing. The note `bomb` goes off. */
  variant('Count', { note: Note }, { points: Points }),
  /** No points unless told. */
  variant('AskPayout', { note: Note }, { points: Points }),
  variant('RecordPayout', { note: Note }),
)
export type TallyCommand = TypeOf<typeof TallyCommand>

const TallyRejection = union(
  'TallyRejection',
  variant('Full', { tally: Tally }),
  variant('NotEnough', { tally: Tally }),
)
export type TallyRejection = TypeOf<typeof TallyRejection>

const LIMIT = 400

const decide = (command: TallyCommand, tally: Tally): Decision<TallyRejection, TallyEvent> => {
  const { _tag, ...asked } = command
  switch (command._tag) {
    case 'Count':
      if (command.note === 'bomb') throw new Error('a decider that is not total')
      if (command.points === 0) return accept()
      return tally.total + (command.points ?? 1) > LIMIT
        ? reject({ _tag: 'Full', tally })
        : accept({ _tag: 'Counted', ...asked })
    case 'AskPayout':
      return (command.points ?? 0) > tally.total
        ? reject({ _tag: 'NotEnough', tally })
        : accept({ _tag: 'PayoutAsked', ...asked })
    case 'RecordPayout':
      return accept({ _tag: 'Paid', note: command.note })
  }
}

export const aggregate = defineAggregate<TallyCommand, Tally, TallyEvent, TallyRejection>({
  name: 'tally',
  command: TallyCommand,
  event: TallyEvent,
  rejection: TallyRejection,
  snapshot: plainSnapshot(Tally),
  reducer: 1,
  initial: { total: totalOf(0) },
  evolve,
  decide,
})

export const bank = gateway({
  name: 'bank',
  aggregate,
  hears: ['PayoutAsked'],
  keyHorizonMs: 24 * 3_600_000,
})

/** One row per tally: the ids of its events, as they were taken in. */
export const projection: Projection = {
  name: 'tallies',
  generation: '1',
  sources: [
    from(aggregate, ({ stream, id }) => [
      {
        pk: 'tallies',
        sk: stream,
        change: (ids) => [...((ids ?? []) as ReadonlyArray<string>), id],
      },
    ]),
  ],
}

export const service: Service = {
  name: 'tallies',
  aggregates: [aggregate],
  projections: [projection],
  processes: [],
  gateways: [bank],
  routes: [],
}

/** The first of January 2026. */
export const TIME_MS = 1_767_225_600_000

export const tally = (name: string): StreamName => streamName('tally', name)

// Messages

export const command = (_tag: TallyCommand['_tag'], note: string, points?: number): TallyCommand =>
  ({ _tag, note, ...(points === undefined ? {} : { points }) }) as TallyCommand

/** A command on its way to a tally; its id comes from its note, so the same note is the same command. */
export const dispatch = (name: string, asked: TallyCommand): Dispatch => {
  const stream = tally(name)
  const id = deriveId(TIME_MS, stream, asked._tag, asked.note)
  return { _tag: 'Dispatch', stream, envelope: envelope(asked, { id, timeMs: TIME_MS }) }
}

export const count = (name: string, note: string): Message =>
  messageOf(dispatch(name, command('Count', note)))

// Commits

/** A commit of so many events; none is a command that changed nothing. */
export const commitOf = (
  stream: StreamName,
  number: number,
  notes: ReadonlyArray<string>,
  version: number,
): Commit => {
  const id = deriveId(TIME_MS, stream, String(number))
  return {
    stream,
    number,
    version,
    timeMs: TIME_MS + number,
    latestIdMs: TIME_MS,
    answers: [
      {
        id,
        fingerprint: '1AAAAAAAAAAAA',
        timeMs: TIME_MS + number,
        metadata: { correlationId: id, tenant: 'acme' },
        events: notes.map((note) => ({ _tag: 'Counted', note })),
      },
    ],
  }
}

/** The commits of a stream, from the notes of each. */
export const history = (
  stream: StreamName,
  commits: ReadonlyArray<ReadonlyArray<string>>,
): ReadonlyArray<Commit> => {
  let version = 0
  return commits.map((notes, at) => commitOf(stream, at + 1, notes, (version += notes.length)))
}
