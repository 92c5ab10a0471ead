/** A replay on DynamoDB that is killed at random points; the benchmark kills it a hundred times. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JavaMissing } from '@everfold/aws-local'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { ordeal } from '../src/crash/ordeal.ts'

const TIMEOUT_MS = 240_000

afterEach(() => vi.unstubAllEnvs())

/** An empty folder for whatever the ordeal writes. */
const scratch = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'scratch-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  vi.stubEnv('TMPDIR', folder)
  return folder
}

test('a replay that is killed at any point is gone on with, and nothing is missing or twice', {
  timeout: TIMEOUT_MS,
}, async () => {
  // Early, in the middle and late, twice.
  const points = [0.2, 0.5, 0.8, 0.35, 0.65, 0.95]
  let next = 0
  const random = () => points[next++ % points.length] ?? 0
  const { kills, events, published } = await ordeal({ kills: 5, orders: 3, random })
  expect(kills).toBe(5)
  expect(published).toBe(events)
})

test('an ordeal that fails says when it killed, and leaves no file', { timeout: TIMEOUT_MS }, async () => {
  const folder = await scratch()
  const points = [0, 0.1]
  const random = () => {
    const point = points.shift()
    if (point === undefined) throw new Error('out of luck')
    return point
  }
  await expect(ordeal({ kills: 5, orders: 1, random })).rejects.toThrow(
    /^out of luck\nkilled after, in ms: replay-1 0, replay-1 \d+$/,
  )
  expect(await readdir(folder)).toEqual([])
})

test('an ordeal without Java fails at once, and leaves no file', async () => {
  const folder = await scratch()
  vi.stubEnv('PATH', folder)
  await expect(ordeal({ kills: 1, orders: 1, random: () => 0 })).rejects.toThrow(JavaMissing)
  expect(await readdir(folder)).toEqual([])
})
