/** What every change stream must do: each commit reaches whoever reads on, and nothing is lost by reading again. */
import { deriveId } from '../command-id.ts'
import type { Commit } from '../commit.ts'
import type { ChangeStream } from '../ports/change-stream.ts'
import type { EventStore } from '../ports/event-store.ts'
import { streamName } from '../stream-name.ts'
import { eventually, holds, rightOf, type Suite, same, suite, type Time } from './suite.ts'

export interface ChangeStreamHarness extends Time {
  readonly store: EventStore
  readonly changes: ChangeStream
}

/** The first of January 2026. */
const TIME_MS = 1_767_225_600_000

const append = async (store: EventStore, name: string, number: number): Promise<string> => {
  const stream = streamName('conformance', name)
  const id = deriveId(TIME_MS, name, String(number))
  const answer = {
    id,
    fingerprint: '1AAAAAAAAAAAA',
    timeMs: TIME_MS,
    metadata: { correlationId: id },
    events: [{ _tag: 'Counted', number }],
  }
  const commit = { stream, number, version: number, timeMs: TIME_MS, latestIdMs: TIME_MS, answers: [answer] }
  rightOf(await store.append(commit)())
  return placeOf(commit)
}

const placeOf = ({ stream, number }: Pick<Commit, 'stream' | 'number'>): string => `${stream}@${number}`

/** Reads on, from a checkpoint, until each of these places was met. */
const meet = async (
  harness: ChangeStreamHarness,
  places: ReadonlyArray<string>,
  from?: string,
): Promise<string> => {
  const missing = new Set(places)
  let checkpoint = from
  return eventually(harness, `deliveries of ${places.join(', ')}`, async () => {
    for (;;) {
      const page = rightOf(await harness.changes.read(checkpoint, 3)())
      holds(page.commits.length <= 3, 'at most as many commits as asked')
      for (const commit of page.commits) missing.delete(placeOf(commit))
      const stuck = page.commits.length === 0 && page.checkpoint === checkpoint
      ;({ checkpoint } = page)
      if (missing.size === 0) return checkpoint
      if (stuck || page.commits.length === 0) return undefined
    }
  })
}

/** `run` tells this run's streams from those of others in the same tables. */
export const changeStreamSuite = (make: () => Promise<ChangeStreamHarness>, run: string = 'run'): Suite =>
  suite(make, run, {
    'every commit of every stream is delivered': async (harness, name) => {
      const places: Array<string> = []
      for (let number = 1; number <= 5; number += 1)
        for (const stream of [`${name}/a`, `${name}/b`])
          places.push(await append(harness.store, stream, number))
      await meet(harness, places)
    },
    'what was not passed by a checkpoint is delivered again': async (harness, name) => {
      const first = await append(harness.store, name, 1)
      const checkpoint = await meet(harness, [first])
      const second = await append(harness.store, name, 2)
      await meet(harness, [second], checkpoint)
      await meet(harness, [second], checkpoint)
      await meet(harness, [first, second])
    },
    'a delivered commit is the one that was appended': async (harness, name) => {
      await append(harness.store, name, 1)
      const stream = streamName('conformance', name)
      const { commits } = rightOf(await harness.store.readForward(stream, { after: 0, limit: 1 })())
      let checkpoint: string | undefined
      const delivered = await eventually(harness, 'a delivery', async () => {
        const page = rightOf(await harness.changes.read(checkpoint, 100)())
        ;({ checkpoint } = page)
        return page.commits.find((commit) => commit.stream === stream)
      })
      same([delivered], commits, 'the same commit')
    },
  })
