/**
 * Every TypeScript snippet of every page compiles and runs.
 *
 * A snippet is a program of its own, so what a page shows can be pasted; it states what it shows with `node:assert`,
 * or its output is shown in the `text` block behind it.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const docs = join(import.meta.dirname, '..')
const root = join(docs, '..')
const folder = join(docs, '.snippets')
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

/** Only on a machine that is busy with other tests does a snippet take long. */
const TIMEOUT_MS = 120_000

interface Snippet {
  readonly title: string
  readonly file: string
  readonly code: string
  /** What it prints, where the page shows that. */
  readonly output: string | undefined
}

const pages = (): ReadonlyArray<string> => [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'README.md')),
  join('bench', 'README.md'),
  ...readdirSync(docs)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]

const snippetsOf = (page: string): ReadonlyArray<Snippet> => {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```$)?/gm)]
  return blocks.map(([, code = '', output], at) => ({
    title: `${page}, snippet ${at + 1}`,
    file: join(folder, `${page.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${at + 1}.ts`),
    code,
    output,
  }))
}

const run = (command: string, ...args: ReadonlyArray<string>) =>
  spawnSync(command, args, { cwd: docs, encoding: 'utf8', timeout: TIMEOUT_MS })

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
const snippets = pages().flatMap(snippetsOf)
for (const { file, code } of snippets) writeFileSync(file, code)

describe('the pages', () => {
  test('every snippet compiles', { timeout: TIMEOUT_MS }, () => {
    const { stdout, status } = run(bin('tsc'), '-p', 'tsconfig.snippets.json')
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })
  test.each(snippets)('$title runs', { timeout: TIMEOUT_MS }, ({ file, output }) => {
    const { stdout, stderr, status } = run(bin('node'), '--conditions=@everfold/source', file)
    expect(stderr).toBe('')
    expect(stdout).toBe(output ?? stdout)
    expect(status).toBe(0)
  })
})
