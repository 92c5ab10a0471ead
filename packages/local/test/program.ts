/** The programs of this package, run as processes of their own: what they say, and how they end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Program {
  readonly child: ChildProcess
  /** All that it has said so far. */
  readonly out: () => string
  readonly err: () => string
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** To the program and all its children, as a terminal does. */
  signal(name: NodeJS.Signals): void
}

/** Loading the sources is most of what a short run costs. */
const CACHE = fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url))

/** Starts `src/<file>` with Node itself, as the leader of a process group. */
export const program = (
  file: string,
  args: ReadonlyArray<string> = [],
  env: NodeJS.ProcessEnv = {},
): Program => {
  const path = fileURLToPath(new URL(`../src/${file}`, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=@everfold/source', path, ...args], {
    env: { ...process.env, NODE_COMPILE_CACHE: CACHE, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, name)
  }
  return { child, out: () => said.out, err: () => said.err, ended, signal }
}

/** Resolves once the condition gives a value; fails after the bound, saying what was waited for. */
export const eventually = async <A>(
  what: string,
  probe: () => A | undefined | Promise<A | undefined>,
  boundMs = 10_000,
): Promise<A> => {
  const until = performance.now() + boundMs
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    if (performance.now() > until) throw new Error(`waited ${boundMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
