/** `everfold stream`. */
import { E, type EventStore, type StreamName } from '@everfold/core'
import { type ShownCommit, showStream } from '../operations/show-stream.ts'
import { answerText } from './answer.ts'
import { type Asked, countOf } from './arguments.ts'
import { configurationOf } from './configuration.ts'
import { Failure, Misuse } from './failure.ts'
import { failureOf } from './fault.ts'
import { eventStoreOf } from './ports.ts'
import { plain, print, printJson, readableTime } from './print.ts'
import { streamOf } from './stream-name.ts'

export const run = async (asked: Asked): Promise<void> => {
  const stream = streamOf(asked.operands[0] ?? '')
  const from = countOf(asked, 'from')
  const to = countOf(asked, 'to')
  if (from !== undefined && to !== undefined && from > to)
    throw new Misuse(`--from ${from} is behind --to ${to}.`)
  const store = await eventStoreOf(await configurationOf(asked))
  const count = await showStream(store, stream, { from, to })(asked.json ? printJson : printer())()
  if (E.isLeft(count)) throw failureOf(count.left)
  if (count.right === 0) throw await nothingShown(store, stream, from ?? 1)
}

/** Commits stand apart. */
const printer = () => {
  let before = ''
  return (commit: ShownCommit): void => {
    print(`${before}${commitText(commit)}`)
    before = '\n'
  }
}

const nothingShown = async (store: EventStore, stream: StreamName, commit: number): Promise<Failure> => {
  const page = await store.readBackward(stream, { limit: 1 })()
  if (E.isLeft(page)) return failureOf(page.left)
  return failureOf({ _tag: 'NoCommit', stream, commit, newest: page.right.commits[0]?.number ?? 0 })
}

const commitText = ({ stream, number, version, time, answers, snapshot }: ShownCommit): string => {
  const heading = `${plain(stream)}@${number}  ${readableTime(time)}  version ${version}`
  const carries =
    snapshot === undefined
      ? []
      : [`  with a snapshot: ${snapshot.sizeBytes} bytes, ${snapshot.rememberedIds} remembered ids`]
  return [heading, ...carries, ...answers.map((answer) => answerText(answer, 2))].join('\n')
}
