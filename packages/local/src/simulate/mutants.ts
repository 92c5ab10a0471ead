/** Services and runtimes with a bug in them, each of which has to be found, and shrunk. */
import { type Command, EXIT, type Exit } from './command.ts'
import { numbered } from './print.ts'

/** What a bug showed itself by. */
interface Line {
  readonly mutant: string
  readonly found: boolean
  readonly seed: number | null
  readonly deviations: number | null
  readonly invariant: string | null
  readonly ms: number
}

/** Bugs planted in the tests' tree: a distribution of this package has none. */
export const mutants = async ({ print }: Command): Promise<Exit> => {
  const { findAll } = (await import(new URL('../../test/simulate/mutants.ts', import.meta.url).href)) as {
    readonly findAll: (nowMs: () => number) => AsyncIterable<Line>
  }
  let [found, all] = [0, 0]
  for await (const line of findAll(() => performance.now())) {
    all += 1
    if (line.found) found += 1
    const { mutant, seed, deviations, invariant, ms } = line
    const how = line.found
      ? `seed ${seed}, ${numbered(deviations ?? 0, 'deviation')}, ${invariant}`
      : 'NOT FOUND'
    print.say(line, `${mutant.padEnd(48)} ${how} (${ms} ms)`)
  }
  // The last line is words for both, so that a glance and a script find the same.
  console.log(`${found} of ${all} seeded bugs found`)
  return found === all ? EXIT.held : EXIT.broken
}
