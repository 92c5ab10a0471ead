/** `pnpm simulate [options]`: services on simulated AWS, under every fault it may have. */
import { holdingGlobals } from '@everfold/runtime-memory/simulation'
import { argumentsOf, USAGE } from './arguments.ts'
import { type Command, EXIT, type Exit, Unusable } from './command.ts'
import { mutants } from './mutants.ts'
import { one } from './one.ts'
import { pairs } from './pairs.ts'
import { past } from './past.ts'
import { printer } from './print.ts'
import { chosen } from './scenarios.ts'
import { seeds } from './seeds.ts'

const main = async (): Promise<Exit> => {
  const args = argumentsOf(process.argv.slice(2))
  if (args === undefined) {
    console.log(USAGE)
    return EXIT.held
  }
  const command: Command = { args, print: printer(args.json) }
  return holdingGlobals(() => performed(command))
}

const performed = async (command: Command): Promise<Exit> => {
  const { mode, scenarios } = command.args
  switch (mode) {
    case 'run':
      return one(command)
    case 'mutants':
      return mutants(command)
    case 'exhaustive':
      return pairs(command)
    case 'seeds':
    case 'all': {
      // What failed once is told of before anything that takes long.
      const holding = await past(command, chosen(scenarios))
      const proven = mode === 'all' ? await pairs(command) : EXIT.held
      const sampled = await seeds(command, holding)
      if (sampled === EXIT.interrupted) return sampled
      const failing = holding.length < chosen(scenarios).length || proven !== EXIT.held
      return failing ? EXIT.broken : sampled
    }
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof Unusable)) throw error
  console.error(error.message)
  process.exitCode = EXIT.unusable
}
