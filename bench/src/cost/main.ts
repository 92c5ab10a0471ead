/**
 * `pnpm cost [results]`: writes `docs/cost.md`. It runs the benchmark `dynamodb`, or takes its results from a file of
 * what `pnpm bench dynamodb` has printed.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Result } from '../group.ts'
import { group } from '../groups/dynamodb.ts'
import type { Measured } from './costs.ts'
import { pageOf, relevant } from './page.ts'

const USAGE = `pnpm cost [results]

Writes docs/cost.md from the figures of the benchmark "dynamodb": it runs it,
which takes some minutes and needs Java 17, or reads them from a file.

  results  a file of what "pnpm bench dynamodb" has printed, whole`

/** The command was not given what it needs; nothing was written. */
class Unusable extends Error {}

const argumentsOf = () => {
  const { values, positionals } = parsed()
  const [file, ...more] = positionals
  if (more.length > 0) throw new Unusable(`One file is enough.\n\n${USAGE}`)
  return { file, help: values.help ?? false }
}

const parsed = () => {
  try {
    const options = { help: { type: 'boolean', short: 'h' } } as const
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    throw new Unusable(`${(error as Error).message}\n\n${USAGE}`)
  }
}

const run = async (): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  await group.run(
    {},
    {
      result: (result) => {
        results.push(result)
        console.error(JSON.stringify(result))
      },
      progress: (text) => console.error(text),
    },
  )
  return results
}

const printed = async (file: string): Promise<ReadonlyArray<Result>> =>
  (await content(file)).split('\n').flatMap((line, at) => {
    if (!line.startsWith('{')) return []
    try {
      return [JSON.parse(line) as Result]
    } catch {
      throw new Unusable(`${file}:${at + 1} is not JSON.`)
    }
  })

const content = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Unusable(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

const pageIn = async (file: string): Promise<string> => {
  const results = await printed(file)
  try {
    return page(results)
  } catch (error) {
    throw new Unusable(`${file} is not all of a run: ${(error as Error).message}.`)
  }
}

const page = (results: ReadonlyArray<Result>): string =>
  pageOf(relevant(results.filter((result): result is Measured => 'value' in result)))

const main = async (): Promise<void> => {
  const { file, help } = argumentsOf()
  if (help) return console.log(USAGE)
  const made = file === undefined ? page(await run()) : await pageIn(file)
  await writeFile(new URL('../../../docs/cost.md', import.meta.url), made)
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof Unusable ? 2 : 1
}
