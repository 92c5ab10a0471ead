/** Logs of groups of commands whose ids are of any kind and age. */
import { type Commit, deriveId, E, envelope, execute, type StreamName, undatedId } from '@everfold/core'
import { type MemoryEventStore, memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { fc } from '@fast-check/vitest'
import { must } from '../must.ts'
import { aggregate, command } from '../tally.ts'

const HOUR_MS = 3_600_000
export const START_MS = Date.UTC(2026, 10, 1)

export interface Sent {
  readonly tag: 'Count' | 'AskPayout'
  readonly points: number
  readonly dated: boolean
  /** How many hours before the command's arrival its id was made. */
  readonly ageHours: number
}

const anySent: fc.Arbitrary<Sent> = fc.record({
  tag: fc.constantFrom('Count', 'AskPayout'),
  points: fc.nat({ max: 3 }),
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
      const dateMs = sent.dated ? {} : { dateMs: timeMs }
      return envelope(command(sent.tag, 'a note', sent.points), {
        id: idOf(group, at, sent),
        timeMs,
        ...dateMs,
      })
    })
    const answers = must(await run(stream, envelopes)())
    for (const answer of answers) if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  }
  return store
}
