/** How services begin and end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JavaMissing, javaMissing, startDynamoDb, startKinesis } from '@everfold/aws-local'
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'

/** A process takes its time to start on a machine that is busy with other tests. */
const START_MS = 60_000

const answers = (endpoint: string): Promise<boolean> =>
  fetch(endpoint).then(
    () => true,
    () => false,
  )

describe('a service', () => {
  test('answers until it is stopped', { timeout: START_MS }, async () => {
    const { endpoint, stop } = await startKinesis()
    onTestFinished(stop)
    expect(await answers(endpoint)).toBe(true)
    await stop()
    expect(await answers(endpoint)).toBe(false)
  })
  test('ends with the process that started it, also when that is killed', { timeout: START_MS }, async () => {
    const starter = spawn(
      process.execPath,
      [
        '--conditions=@everfold/source',
        '--input-type=module',
        '--eval',
        `import { startKinesis } from '@everfold/aws-local'; console.log((await startKinesis()).endpoint)`,
      ],
      { cwd: join(import.meta.dirname, '../../runtime-lambda'), stdio: ['ignore', 'pipe', 'inherit'] },
    )
    onTestFinished(() => void starter.kill('SIGKILL'))
    const [line] = (await once(starter.stdout, 'data')) as [Buffer]
    const endpoint = line.toString().trim()
    expect(await answers(endpoint)).toBe(true)
    starter.kill('SIGKILL')
    await expect.poll(() => answers(endpoint), { timeout: START_MS / 2 }).toBe(false)
  })
})

describe('what is said of Java', () => {
  const folder = mkdtempSync(join(tmpdir(), 'java-'))
  const java = (version: string) => {
    writeFileSync(join(folder, 'java'), `#!/bin/sh\necho 'openjdk version "${version}" 2026-01-01' >&2\n`)
    chmodSync(join(folder, 'java'), 0o755)
  }
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(join(folder, 'java'), { force: true })
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  test.each([
    ['17.0.15', /^nothing$/],
    ['26', /^nothing$/],
    ['11.0.2', /newer Java than this one, 11\.0\.2\. Install Java 17 .*openjdk-17-jre-headless/],
    ['1.8.0_402', /newer Java than this one, 1\.8\.0_402/],
  ])('%s', async (version, said) => {
    java(version)
    vi.stubEnv('PATH', `${folder}:/bin`)
    expect((await javaMissing()) ?? 'nothing').toMatch(said)
  })
  test('where there is none', async () => {
    vi.stubEnv('PATH', folder)
    expect(await javaMissing()).toMatch(
      /there is no java command\. Install Java 17 .*openjdk-17-jre-headless/,
    )
    await expect(startDynamoDb()).rejects.toThrow(JavaMissing)
  })
})
