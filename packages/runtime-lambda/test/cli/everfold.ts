/** The command as a process of its own: what it says, and how it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Ended {
  readonly code: number | NodeJS.Signals
  readonly out: string
  readonly err: string
}

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
export const CONFIG = fileURLToPath(new URL('shop.config.ts', import.meta.url))

/** Loading the sources is most of what a short run costs. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url))

export interface Surroundings {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

export const start = (args: ReadonlyArray<string>, { cwd, env }: Surroundings = {}) => {
  const child = spawn(process.execPath, ['--conditions=@everfold/source', MAIN, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: CACHE,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  const ended = once(child, 'close').then(
    ([code, signal]): Ended => ({ code: (code ?? signal) as number | NodeJS.Signals, ...said }),
  )
  return { child, said, ended }
}

export const everfold = (args: ReadonlyArray<string>, surroundings?: Surroundings): Promise<Ended> =>
  start(args, surroundings).ended

/** The lines of `--json`. */
export const lines = ({ out }: Ended): ReadonlyArray<Record<string, unknown>> =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
