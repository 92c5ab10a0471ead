/**
 * `memory/command/{1,10,100,1000}`: one AddItem on an in-memory stream which already holds so many events.
 *
 * The state is folded from the whole stream, without a cache or a snapshot, because that is what all the
 * contenders can do; so the longer the stream, the more of the time is the domain's own, and the shorter,
 * the more is the library's.
 */
import { type ContenderName, contenders, isContenderName } from '../contenders/index.ts'
import { type Group, type Report, rounded } from '../group.ts'
import { median } from '../measure.ts'
import { comparePair } from '../pair.ts'

const streamLengths = [1, 10, 100, 1_000]

const peers: ReadonlyArray<ContenderName> = ['floor', 'castore', 'emmett', 'equinox-js']

export const group: Group = {
  run: async ({ ours }, report) => {
    if (ours === undefined || !isContenderName(ours))
      throw new Error(`memory: say who is ours, --ours=<contender>: ${Object.keys(contenders).join(', ')}`)
    for (const streamLength of streamLengths) await commands(ours, streamLength, report)
  },
}

const commands = async (ours: ContenderName, streamLength: number, report: Report): Promise<void> => {
  const name = `memory/command/${streamLength}`
  const values: Array<number> = []
  for (const against of peers) {
    const comparison = await comparePair(ours, against, streamLength)
    values.push(comparison.ours)
    report.progress(
      `${name}: ${against} ${rounded(comparison.theirs)} commands/cpu-s (${comparison.rounds} rounds)`,
    )
    report.result({ name, against, ratio: rounded(comparison.ratio) })
  }
  report.result({ name, value: rounded(median(values)), unit: 'commands/cpu-s' })
}
