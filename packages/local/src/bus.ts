/**
 * The relay to a bus, beside a replay: follows the log's stream and publishes every event, from where it was left.
 *
 * How far it has come is kept in a file, so that a relay that was killed publishes again only what it had not noted.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { localClient } from '@everfold/aws-local'
import { type ChangeStream, E, unavailable } from '@everfold/core'
import { type CheckpointKeeper, followOnce } from '@everfold/runtime-lambda/consumers'
import { relay } from '@everfold/runtime-lambda/relay'
import { systemClock as clock } from '@everfold/runtime-lambda/system-clock'
import type { Services } from './cloud.ts'

export interface Publisher {
  /** Resolves when all that was appended before the call is published; begins no other page then. */
  finish(this: void): Promise<void>
}

const POLL_MS = 50

/** Publishes until it is finished. */
export const publisher = (
  { endpoint, checkpoint }: NonNullable<Services['bus']>,
  changes: ChangeStream,
): Publisher => {
  const client = new EventBridgeClient(localClient(endpoint))
  const work = relay({ client, bus: 'shop', source: 'everfold.shop', clock })
  const once = followOnce({ changes, work, checkpoints: checkpointFile(checkpoint) })
  const state = { finishing: false }
  const run = async (): Promise<void> => {
    for (;;) {
      // Asked before the read: what is appended before it is read by it.
      const last = state.finishing
      const published = await once()
      if (E.isLeft(published)) throw new Error(`the relay stands still: ${JSON.stringify(published.left)}`)
      if (published.right === 0 && last) return
      if (published.right === 0) await clock.sleep(POLL_MS)
    }
  }
  const running = run()
  // Told where it is awaited.
  running.catch(() => {})
  return {
    finish: () => {
      state.finishing = true
      return running
    },
  }
}

/** Replaced in one step, so that whoever is killed leaves the old one or the new one. */
const checkpointFile = (file: string): CheckpointKeeper => ({
  load: () => async () => {
    try {
      return E.right(await readFile(file, 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return E.right(undefined)
      return E.left(unavailable(`the file ${file}`, error))
    }
  },
  save: (checkpoint) => async () => {
    try {
      await writeFile(`${file}.new`, checkpoint)
      await rename(`${file}.new`, file)
      return E.right(undefined)
    } catch (error) {
      return E.left(unavailable(`the file ${file}`, error))
    }
  },
})
