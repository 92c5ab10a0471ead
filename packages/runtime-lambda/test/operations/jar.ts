/** The domain of these tests: jars that coins are put into and taken from, by commands with ids of any kind. */
import {
  accept,
  type Commit,
  aggregate as defineAggregate,
  deriveId,
  E,
  envelope,
  execute,
  integer,
  plainSnapshot,
  record,
  reject,
  type Service,
  type StreamName,
  streamName,
  type TypeOf,
  undatedId,
  union,
  variant,
} from '@everfold/core'
import { type MemoryEventStore, memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { fc } from '@fast-check/vitest'
import { must } from '../must.ts'

const Coins = integer('Coins', 0, 9)
const Command = union('JarCommand', variant('Put', { coins: Coins }), variant('Take', { coins: Coins }))
const Event = union(
  'JarEvent',
  variant('CoinsPut', { coins: Coins }),
  variant('CoinsTaken', { coins: Coins }),
)
const Jar = record('Jar', { total: integer('Total', 0) })
type Jar = TypeOf<typeof Jar>
const Rejection = union('JarRejection', variant('NotEnough', { jar: Jar }))

export const aggregate = defineAggregate<
  TypeOf<typeof Command>,
  Jar,
  TypeOf<typeof Event>,
  TypeOf<typeof Rejection>
>({
  name: 'jar',
  initial: { total: 0 as Jar['total'] },
  evolve: ({ total }, { _tag: tag, coins }) => ({
    total: (tag === 'CoinsPut' ? total + coins : total - coins) as Jar['total'],
  }),
  decide: ({ _tag: tag, coins }, jar) => {
    if (coins === 0) return accept()
    if (tag === 'Put') return accept({ _tag: 'CoinsPut', coins })
    return coins > jar.total ? reject({ _tag: 'NotEnough', jar }) : accept({ _tag: 'CoinsTaken', coins })
  },
  command: Command,
  event: Event,
  rejection: Rejection,
  snapshot: plainSnapshot(Jar),
  reducer: 1,
})

export const service: Service = {
  name: 'jars',
  aggregates: [aggregate],
  projections: [],
  processes: [],
  gateways: [],
  routes: [],
}

export const jar = (name: string): StreamName => streamName('jar', name)

const HOUR_MS = 3_600_000
export const START_MS = Date.UTC(2026, 10, 1)

export interface Sent {
  readonly put: boolean
  readonly coins: number
  readonly dated: boolean
  /** How many hours before the command's arrival its id was made. */
  readonly ageHours: number
}

const anySent: fc.Arbitrary<Sent> = fc.record({
  put: fc.boolean(),
  coins: fc.nat({ max: 3 }),
  dated: fc.boolean(),
  ageHours: fc.constantFrom(0, 0, 1, 5),
})

/** Groups of commands, an hour apart. */
export const anyGroups = fc.array(fc.array(anySent, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 40,
})

export const idOf = (group: number, at: number, { dated, ageHours }: Sent) => {
  const name = `${group}.${at}`
  return dated ? deriveId(START_MS + (group - ageHours) * HOUR_MS, name) : undatedId(name)
}

/** A log in memory whose snapshots come often and remember little. */
export const logOf = async (
  stream: StreamName,
  groups: ReadonlyArray<ReadonlyArray<Sent>>,
): Promise<MemoryEventStore & { readonly log: ReadonlyArray<Commit> }> => {
  const kernel = virtualKernel({ mode: 'immediate', startMs: START_MS })
  const store = memoryEventStore(kernel)
  const run = execute(aggregate, { store, clock: kernel }, { snapshotEvery: 3, remembered: 2 })
  for (const [group, members] of groups.entries()) {
    const timeMs = START_MS + group * HOUR_MS
    const envelopes = members.map((sent, at) => {
      const command = { _tag: sent.put ? 'Put' : 'Take', coins: sent.coins } as TypeOf<typeof Command>
      const dateMs = sent.dated ? {} : { dateMs: timeMs }
      return envelope(command, { id: idOf(group, at, sent), timeMs, ...dateMs })
    })
    const answers = must(await run(stream, envelopes)())
    for (const answer of answers) if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  }
  return store
}
