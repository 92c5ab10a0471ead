/** All faults and all pairs of faults of the small scope. */
import { exhaustive, statement } from '@everfold/runtime-memory/simulation'
import { type Command, EXIT, type Exit } from './command.ts'
import { tell } from './failure.ts'
import { rounded } from './print.ts'
import { smallScope } from './scenarios.ts'

export const pairs = async ({ print }: Command): Promise<Exit> => {
  const simulated = await smallScope.open()
  const startMs = performance.now()
  const bar = print.follow('all pairs of faults', { total: 20_000, of: 'runs' })
  const tried = await exhaustive(simulated, { depth: 2, progress: (runs) => bar.at(runs, '') })
  bar.end()
  const seconds = (performance.now() - startMs) / 1000
  const { failing, ...numbers } = tried
  const object = {
    scope: smallScope.what,
    ...numbers,
    seconds: rounded(seconds),
    clean: failing === undefined,
  }
  print.say(object, `${statement(tried)}, in ${seconds.toFixed(1)} s.`)
  if (failing === undefined) return EXIT.held
  await tell(print, { scenario: smallScope, simulated, run: failing })
  return EXIT.broken
}
