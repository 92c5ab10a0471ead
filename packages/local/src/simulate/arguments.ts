/** What `pnpm simulate` is told. */
import { parseArgs } from 'node:util'
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
${scenarios.map(({ name, what }) => `                      ${name.padEnd(18)}${what}`).join('\n')}
  --seeds N         how many seeds of each; its own number unless told
  --from N          the first seed; 0 unless told
  --seconds S       how long to go on with each, at most
  --seed SEED       one run, told step by step
  --plan PLAN       the run of a plan, as a report gives it
  --page FILE       writes the run's trace as a page to step through
  --exhaustive      only the small service, all faults and all pairs
  --mutants         services and runtimes with a bug in them: each has to be
                    found, and shrunk
  --corpus DIR      where past failures are kept; failures are added to it.
                    packages/local/corpus unless told
  --json            one JSON object a line`

/** The command was not given what it needs; nothing was run. */
export class Unusable extends Error {}

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
  const { help, scenario: named = [], exhaustive, mutants, json = false, ...values } = parsed(args)
  if (help === true) return undefined
  for (const name of named)
    if (!scenarios.some((scenario) => scenario.name === name))
      throw new Unusable(`There is no scenario ${name}: ${scenarios.map((one) => one.name).join(', ')}.`)
  const { seed, plan, page, corpus } = values
  const one = seed !== undefined || plan !== undefined
  if ([one, exhaustive === true, mutants === true].filter(Boolean).length > 1)
    throw new Unusable(`--seed or --plan, --exhaustive and --mutants exclude each other.\n\n${USAGE}`)
  if (seed !== undefined && plan !== undefined)
    throw new Unusable('A plan has a seed of its own: --seed or --plan.')
  if (one && named.length !== 1) throw new Unusable('--seed and --plan need one --scenario.')
  if (page !== undefined && !one) throw new Unusable('--page is for one run: --seed or --plan.')
  const seeds = numberOf('--seeds', values.seeds, 1)
  const seconds = numberOf('--seconds', values.seconds, 0)
  const mode = one ? 'run' : exhaustive === true ? 'exhaustive' : mutants === true ? 'mutants' : undefined
  const narrowed = named.length > 0 || seeds !== undefined || seconds !== undefined
  return {
    mode: mode ?? (narrowed ? 'seeds' : 'all'),
    scenarios: named,
    from: numberOf('--from', values.from, 0) ?? 0,
    json,
    ...(seeds === undefined ? {} : { seeds }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(seed === undefined ? {} : { seed }),
    ...(plan === undefined ? {} : { plan }),
    ...(page === undefined ? {} : { page }),
    ...(corpus === undefined ? {} : { corpus }),
  }
}

const numberOf = (name: string, text: string | undefined, least: number): number | undefined => {
  if (text === undefined) return undefined
  const number = Number(text)
  if (
    text.trim() === '' ||
    !Number.isFinite(number) ||
    number < least ||
    (name !== '--seconds' && !Number.isInteger(number))
  )
    throw new Unusable(
      `${name} is ${name === '--seconds' ? 'a number' : 'a whole number'} of at least ${least}, not ${text}.`,
    )
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
    throw new Unusable(`${(error as Error).message}\n\n${USAGE}`)
  }
}
