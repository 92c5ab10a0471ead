/**
 * `pnpm bench [group…] [--ours=<contender>]`: one JSON object per line on standard output, as soon as it is
 * known; what is going on, on standard error. Without a group, all of them. Each group is one file in `groups/`.
 */
import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { contenders, isContenderName } from './contenders/index.ts'
import type { Group, Report } from './group.ts'

const groups = readdirSync(new URL('groups/', import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace(/\.ts$/, ''))

const USAGE = `pnpm bench [group...] [--ours=<contender>]

Measures every group, or those that are named: one JSON object a line on
standard output, what is going on on standard error.

  group               ${groups.join(', ')}
  --ours=<contender>  who counts as ours where contenders are compared:
                      ${Object.keys(contenders).join(', ')}`

/** It was asked for something that there is not. */
class Misuse extends Error {
  constructor(message: string) {
    super(`${message}\n\n${USAGE}`)
  }
}

const parsed = () => {
  const options = { ours: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
  try {
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    throw new Misuse((error as Error).message)
  }
}

const report: Report = {
  result: (result) => console.log(JSON.stringify(result)),
  progress: (text) => console.error(text),
}

const main = async (): Promise<void> => {
  const { values, positionals } = parsed()
  const { ours, help = false } = values
  if (help) return console.log(USAGE)
  const unknown = positionals.find((name) => !groups.includes(name))
  if (unknown !== undefined) throw new Misuse(`There is no benchmark group "${unknown}".`)
  if (ours !== undefined && !isContenderName(ours)) throw new Misuse(`There is no contender "${ours}".`)
  for (const name of positionals.length === 0 ? groups : positionals) {
    const { group } = (await import(`./groups/${name}.ts`)) as { readonly group: Group }
    await group.run({ ours }, report)
  }
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof Misuse ? 2 : 1
}
