/** `everfold state`. */
import { aggregatesOf, E } from '@everfold/core'
import { type StateAt, stateAt } from '../operations/state-at.ts'
import { type Asked, countOf } from './arguments.ts'
import { configurationOf } from './configuration.ts'
import { failureOf } from './fault.ts'
import { eventStoreOf } from './ports.ts'
import { laidOut, numbered, plain, print, printJson, readableTime } from './print.ts'
import { streamOf } from './stream-name.ts'

export const run = async (asked: Asked): Promise<void> => {
  const stream = streamOf(asked.operands[0] ?? '')
  const at = countOf(asked, 'at')
  const configuration = await configurationOf(asked)
  const store = await eventStoreOf(configuration)
  const state = await stateAt(aggregatesOf(configuration.service), store)(stream, at)()
  if (E.isLeft(state)) throw failureOf(state.left)
  if (asked.json) printJson(state.right)
  else print(stateText(state.right))
}

const stateText = (found: StateAt): string => {
  const { stream, commit, version, time = '', state } = found
  return [
    `${plain(stream)}@${commit}  ${readableTime(time)}  version ${version}`,
    `  ${foldedFrom(found)}`,
    `  ${laidOut(state, 2)}`,
  ].join('\n')
}

export const foldedFrom = ({ commit, snapshot, folded }: StateAt): string => {
  if (commit === 0) return 'before the first commit'
  const commits = numbered(folded, 'commit')
  if (snapshot === undefined) return `from the first commit: ${commits}, no snapshot`
  return folded === 0 ? 'its own snapshot' : `from the snapshot of commit ${snapshot}, and ${commits}`
}
