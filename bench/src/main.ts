/**
 * `pnpm bench [group] [--ours=<contender>]`: one JSON object per line on standard output, as soon as it is
 * known; what is going on, on standard error. Without a group, all of them. Each group is one file in `groups/`.
 */
import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Group, Report } from './group.ts'

const groups = readdirSync(new URL('groups/', import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace(/\.ts$/, ''))

const report: Report = {
  result: (result) => console.log(JSON.stringify(result)),
  progress: (text) => console.error(text),
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ours: { type: 'string' } },
  })
  const unknown = positionals.find((name) => !groups.includes(name))
  if (unknown !== undefined)
    throw new Error(`there is no benchmark group "${unknown}"; the groups are: ${groups.join(', ')}`)
  for (const name of positionals.length === 0 ? groups : positionals) {
    const { group } = (await import(`./groups/${name}.ts`)) as { readonly group: Group }
    await group.run({ ours: values.ours }, report)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
