/**
 * `memory/command/{1,10,100,1000}`: one AddItem on an in-memory stream which already holds so many events.
 *
 * The state is loaded from the stream for every command, and nobody keeps it in a cache. The others fold the whole
 * stream; ours is folded from the newest snapshot in it, which is a part of the stream and was put there by the
 * commands of its past. So the shorter the stream, the more of the time is the library's own work for a command.
 *
 * `memory/fold/{1000,100000}`: one stored history of so many events folded from its first event, every event checked
 * by its codec.
 */
import { foldOf } from '../contenders/everfold.ts'
import { type ContenderName, contenders, isContenderName } from '../contenders/index.ts'
import { type Group, type Report, rounded } from '../group.ts'
import { median, perCpuSecond } from '../measure.ts'
import { comparePair } from '../pair.ts'

const streamLengths = [1, 10, 100, 1_000]

const historyLengths = [1_000, 100_000]

const peers: ReadonlyArray<ContenderName> = ['floor', 'castore', 'emmett', 'equinox-js']

export const group: Group = {
  run: async ({ ours = 'everfold' }, report) => {
    if (!isContenderName(ours))
      throw new Error(`memory: there is no contender "${ours}": ${Object.keys(contenders).join(', ')}`)
    for (const streamLength of streamLengths) await commands(ours, streamLength, report)
    for (const length of historyLengths)
      report.result({
        name: `memory/fold/${length}`,
        value: rounded(await perCpuSecond(length, await foldOf(length))),
        unit: 'events/cpu-s',
      })
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
