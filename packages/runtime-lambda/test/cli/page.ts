/** The examples of docs/operations.md: what is typed, and what is printed. */
import { readFileSync } from 'node:fs'

export interface Example {
  readonly args: ReadonlyArray<string>
  readonly output: string
}

const PAGE = new URL('../../../../docs/operations.md', import.meta.url)

export const examples = (): ReadonlyArray<Example> =>
  [...readFileSync(PAGE, 'utf8').matchAll(/^```text\n\$ everfold (.*)\n([\s\S]*?)^```$/gm)].map(
    ([, line = '', output = '']) => ({
      args: [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? ''),
      output,
    }),
  )
