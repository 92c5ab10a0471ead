/** Puts by PutRecords, packed to its limits; what failed is in front of what has not been sent. */
import { PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { E } from '@everfold/core'
import { KINESIS } from '../limits.ts'
import { isTransient, patiently } from '../patience.ts'
import { type Entry, fitting } from './packing.ts'
import { type Answer, answerOf, type Line, lacking, NOT_SENT, type Send, wireOf } from './put-answer.ts'
import { recordBytes } from './stream-record.ts'

export const manyAtOnce = (line: Line): Send => {
  const { clock, budgetMs } = line
  return async (entries) => {
    const untilMs = clock.nowMs() + budgetMs
    const answers: Array<Answer> = entries.map(() => NOT_SENT)
    let pending: ReadonlyArray<number> = [...entries.keys()]
    let pack = pending
    const call = async (): Promise<void> => {
      pack = firstPack(pending, entries)
      const packed = pack.map((place) => entries[place] as Entry)
      for (const [at, answer] of (await putPack(line, packed)).entries()) answers[pack[at] as number] = answer
      const failed = pack.filter((place) => E.isLeft(answers[place] as Answer))
      pending = [...failed, ...pending.slice(pack.length)]
      if (failed.length > 0) throw new SomeFailed(failed.length)
    }
    while (pending.length > 0 && clock.nowMs() <= untilMs) {
      const patience = { clock, budgetMs: untilMs - clock.nowMs() }
      const outcome = await patiently(patience, call, isWorthRepeating)
      if (E.isRight(outcome)) continue
      const { left: error } = outcome
      if (error instanceof SomeFailed) break
      for (const place of pack) answers[place] = lacking('kinesis', error)
      if (isTransient(error)) break
      // What is wrong with this call may be wrong with nothing of the next.
      pending = pending.slice(pack.length)
    }
    return answers
  }
}

const firstPack = (pending: ReadonlyArray<number>, entries: ReadonlyArray<Entry>): ReadonlyArray<number> => {
  const next = pending.slice(0, LIMITS.count)
  const sizes = next.map((place) => recordBytes((entries[place] as Entry).record))
  return next.slice(0, fitting(sizes, LIMITS))
}

const LIMITS = { count: KINESIS.putRecords, bytes: KINESIS.putBytes }

const putPack = async (
  { client, stream }: Line,
  pack: ReadonlyArray<Entry>,
): Promise<ReadonlyArray<Answer>> => {
  const command = new PutRecordsCommand({ StreamName: stream, Records: pack.map(wireOf) })
  const { Records: results = [] } = await client.send(command)
  return pack.map((_, at) => answerOf(results[at]))
}

/** Thrown and caught here: says to `patiently` that records are left of a call that went through. */
class SomeFailed extends Error {
  constructor(count: number) {
    super(`${count} records failed`)
  }
}

const isWorthRepeating = (error: unknown): boolean => error instanceof SomeFailed || isTransient(error)
