/**
 * `pnpm cost [results]`: writes `docs/cost.md`. It runs the benchmark `dynamodb`, or takes its results from a file of
 * what `pnpm bench dynamodb` has printed.
 */
import { readFile, writeFile } from 'node:fs/promises'
import type { Result } from '../group.ts'
import { group } from '../groups/dynamodb.ts'
import type { Measured } from './costs.ts'
import { pageOf, relevant } from './page.ts'

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
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Result)

const [file] = process.argv.slice(2)
const results = file === undefined ? await run() : await printed(file)
const measured = results.filter((result): result is Measured => 'value' in result)
await writeFile(new URL('../../../docs/cost.md', import.meta.url), pageOf(relevant(measured)))
