/** Puts by PutRecord in the strict order: one after the other within a key, each chained to the one before. */
import { PutRecordCommand } from '@aws-sdk/client-kinesis'
import { E } from '@everfold/core'
import { inParallel } from '../parallel.ts'
import { patiently } from '../patience.ts'
import type { Entry } from './packing.ts'
import {
  type Answer,
  answerOf,
  HELD_BACK,
  type Line,
  lacking,
  NOT_SENT,
  type Send,
  wireOf,
} from './put-answer.ts'
import { routeOf } from './stream-record.ts'

/** The routes whose latest place is remembered from one call to the next. */
const REMEMBERED_KEYS = 10_000

/** Calls take turns, or they would overtake each other. */
export const oneByOne = (line: Line, parallel: number): Send => {
  const { clock, budgetMs } = line
  const latest = new Map<string, string>()
  let turn: Promise<unknown> = Promise.resolve()
  const putAll: Send = async (entries) => {
    const untilMs = clock.nowMs() + budgetMs
    const answers: Array<Answer> = entries.map(() => NOT_SENT)
    const chains = Map.groupBy(entries.keys(), (at) => routeOf((entries[at] as Entry).record))
    await inParallel(chains.values(), parallel, async (chain) => {
      let stopped: Answer | undefined
      for (const at of chain) {
        const leftMs = untilMs - clock.nowMs()
        if (leftMs < 0) return
        const answer = stopped ?? (await putOne({ ...line, budgetMs: leftMs }, entries[at] as Entry, latest))
        answers[at] = answer
        if (E.isLeft(answer)) stopped = HELD_BACK
      }
    })
    return answers
  }
  return (entries) => {
    const answered = turn.then(() => putAll(entries))
    turn = answered
    return answered
  }
}

const putOne = async (line: Line, entry: Entry, latest: Map<string, string>): Promise<Answer> => {
  const { client, stream } = line
  const route = routeOf(entry.record)
  const after = latest.get(route)
  const command = {
    StreamName: stream,
    ...wireOf(entry),
    ...(after === undefined ? {} : { SequenceNumberForOrdering: after }),
  }
  const outcome = await patiently(line, () => client.send(new PutRecordCommand(command)))
  if (E.isLeft(outcome)) return lacking('kinesis', outcome.left)
  const answer = answerOf(outcome.right)
  if (E.isRight(answer)) remember(latest, route, answer.right.sequenceNumber)
  return answer
}

const remember = (latest: Map<string, string>, route: string, sequenceNumber: string): void => {
  latest.delete(route)
  latest.set(route, sequenceNumber)
  const [oldest] = latest.keys()
  if (latest.size > REMEMBERED_KEYS && oldest !== undefined) latest.delete(oldest)
}
