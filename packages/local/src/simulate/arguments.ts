/** What `pnpm simulate` is told. */
import { parseArgs } from 'node:util'
import { Unusable } from './command.ts'
import { scenarios } from './scenarios.ts'

export const USAGE = `pnpm simulate [--scenario NAME]... [--seeds N] [--seconds S] [--json]
pnpm simulate --scenario NAME --seed SEED [--page FILE]
pnpm simulate --scenario NAME --plan PLAN [--page FILE]
pnpm simulate --exhaustive [--json]
pnpm simulate --mutants [--json]

Runs services on simulated AWS, again and again under other faults, and judges
every step. Without options: past failures first, then all faults and all pairs
of faults of a small service, then every scenario by seeds.

  --scenario NAME   one or more of:
${scenarios.map(({ name, what }) => `                      ${name.padEnd(20)}${what}`).join('\n')}
  --seeds N         how many seeds of each; its own number unless told
  --from N          the first seed; 0 unless told
  --seconds S       how long to go on with each, at most; Ctrl-C ends it at
                    once, and what was done until then is told
  --seed SEED       one run: its first deviations and its last steps
  --plan PLAN       the run of a plan, as a report gives it
  --page FILE       writes the run's trace as a page to step through
  --exhaustive      only the small service, all faults and all pairs
  --mutants         services and runtimes with a bug in them: each has to be
                    found, and shrunk
  --corpus DIR      where past failures are kept; failures are added to it.
                    packages/local/corpus unless told
  --json            one JSON object a line

Exits 0 where all held and was tried, 1 where not, 2 where it is asked wrongly
or a file cannot be used, 130 after Ctrl-C.`

export interface Arguments {
  readonly mode: 'all' | 'seeds' | 'run' | 'exhaustive' | 'mutants'
  readonly scenarios: ReadonlyArray<string>
  readonly seeds?: number
  readonly from: number
  readonly seconds?: number
  readonly seed?: string
  readonly plan?: string
  readonly page?: string
  readonly corpus?: string
  readonly json: boolean
}

/** Undefined where help was asked for. */
export const argumentsOf = (args: ReadonlyArray<string>): Arguments | undefined => {
  const values = parsed(args)
  if (values.help === true) return undefined
  const { scenario: named = [], json = false, exhaustive: _exhaustive, mutants: _mutants, ...rest } = values
  for (const name of named)
    if (!scenarios.some((scenario) => scenario.name === name))
      throw new Unusable(`There is no scenario ${name}: ${scenarios.map((one) => one.name).join(', ')}.`)
  const mode = modeOf(values)
  if (mode === 'run' && named.length !== 1) throw new Unusable('--seed and --plan need one --scenario.')
  const seeds = numberOf('--seeds', rest.seeds)
  const seconds = numberOf('--seconds', rest.seconds)
  const { seed, plan, page, corpus } = rest
  return {
    mode,
    scenarios: named,
    from: numberOf('--from', rest.from) ?? 0,
    json,
    ...(seeds === undefined ? {} : { seeds }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(seed === undefined ? {} : { seed }),
    ...(plan === undefined ? {} : { plan }),
    ...(page === undefined ? {} : { page }),
    ...(corpus === undefined ? {} : { corpus }),
  }
}

type Values = ReturnType<typeof parsed>

/** The options that say what is done, and those that each goes with. */
const BESIDE: ReadonlyArray<
  readonly [option: keyof Values, mode: Arguments['mode'], beside: ReadonlyArray<string>]
> = [
  ['seed', 'run', ['scenario', 'page']],
  ['plan', 'run', ['scenario', 'page']],
  ['exhaustive', 'exhaustive', []],
  ['mutants', 'mutants', []],
]

/** Refuses what would be ignored. */
const modeOf = (values: Values): Arguments['mode'] => {
  const given = Object.keys(values).filter((name) => name !== 'json')
  for (const [option, mode, beside] of BESIDE) {
    if (!given.includes(option)) continue
    const stranger = given.find((name) => name !== option && !beside.includes(name))
    if (stranger !== undefined) throw new Unusable(`--${option} does not go with --${stranger}.`)
    return mode
  }
  if (given.includes('page')) throw new Unusable('--page is for one run: --seed or --plan.')
  const narrowed = given.some((name) => name === 'scenario' || name === 'seeds' || name === 'seconds')
  return narrowed ? 'seeds' : 'all'
}

type Numeric = '--seeds' | '--from' | '--seconds'

const NUMBERS: Record<Numeric, readonly [what: string, is: (number: number) => boolean]> = {
  '--seeds': ['a whole number of at least 1', (number) => Number.isSafeInteger(number) && number >= 1],
  '--from': ['a whole number of at least 0', (number) => Number.isSafeInteger(number) && number >= 0],
  '--seconds': ['a number above 0', (number) => Number.isFinite(number) && number > 0],
}

const numberOf = (name: Numeric, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const [what, is] = NUMBERS[name]
  const number = Number(text)
  if (text.trim() === '' || !is(number)) throw new Unusable(`${name} is ${what}, not ${text}.`)
  return number
}

const parsed = (args: ReadonlyArray<string>) => {
  const flag = { type: 'boolean' } as const
  const word = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: { type: 'string', multiple: true },
        seeds: word,
        from: word,
        seconds: word,
        seed: word,
        plan: word,
        page: word,
        corpus: word,
        exhaustive: flag,
        mutants: flag,
        json: flag,
        help: { ...flag, short: 'h' },
      },
    }).values
  } catch (error) {
    // What follows the first sentence is advice for commands that take files.
    const [what = ''] = (error as Error).message.split('. ')
    throw new Unusable(`${what}: pnpm simulate --help tells what there is.`)
  }
}
