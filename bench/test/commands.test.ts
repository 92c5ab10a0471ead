/** `pnpm bench` and `pnpm cost` as processes: what they say where they cannot do what they are asked, and how they end. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

const run = (file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): Promise<Ended> => {
  const path = fileURLToPath(new URL(`../src/${file}`, import.meta.url))
  const all = ['--conditions=@everfold/source', path, ...args]
  return new Promise((resolve) => {
    const child = execFile(process.execPath, all, { env: { ...process.env, ...env } }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'everfold-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe.concurrent.each([
  ['main.ts', 'pnpm bench'],
  ['cost/main.ts', 'pnpm cost'],
] as const)('%s', (file, name) => {
  test('says how it is used where it is asked, in 80 columns, and exits 0', async () => {
    const { code, out, err } = await run(file, ['--help'])
    expect([code, err]).toEqual([0, ''])
    expect(out.startsWith(`${name} [`)).toBe(true)
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test('exits 2 for what it does not know, and says how it is used', async () => {
    const { code, out, err } = await run(file, ['--bogus'])
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^Unknown option '--bogus'/)
    expect(err).toContain(`\n\n${name} [`)
  })

  test('exits 1 without Java, and says in one line what to install', async () => {
    const args = file === 'main.ts' ? ['crash'] : []
    const { code, out, err } = await run(file, args, { PATH: folder })
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(/^DynamoDB Local needs Java, .* Install Java 17 .*\n$/)
  })
})

describe.concurrent('pnpm bench', () => {
  test.each([['nope'], ['--ours=nope']])('%s exits 2, and says what there is', async (asked) => {
    const { code, err } = await run('main.ts', [asked])
    expect(code).toBe(2)
    expect(err).toContain('"nope"')
    for (const there of ['memory', 'dynamodb', 'everfold', 'castore']) expect(err).toContain(there)
  })
})

describe.concurrent('pnpm cost', () => {
  test('exits 2 for a file that it cannot use, says why, and leaves the page as it is', async () => {
    const pageFile = new URL('../../docs/cost.md', import.meta.url)
    const before = await readFile(pageFile, 'utf8')
    const [none, partial, broken] = ['none', 'partial', 'broken'].map((name) => join(folder, name))
    await writeFile(partial ?? '', '{"name":"dynamodb/warm/requests","value":1,"unit":"requests"}\n')
    await writeFile(broken ?? '', 'first\n{"name":\n')
    const ended = await Promise.all([none, partial, broken].map((file) => run('cost/main.ts', [file ?? ''])))
    expect(ended).toEqual([
      { code: 2, out: '', err: `${none} cannot be read (ENOENT).\n` },
      {
        code: 2,
        out: '',
        err: expect.stringMatching(/is not all of a run: dynamodb\/\S+ of .* was not measured\.\n$/),
      },
      { code: 2, out: '', err: `${broken}:2 is not JSON.\n` },
    ])
    expect(await readFile(pageFile, 'utf8')).toBe(before)
  })
})
