/** Services that run as processes beside this one, on ports that the system picks; they never outlive it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, connect, createServer } from 'node:net'

/** A service that is listening. */
export interface LocalService {
  readonly endpoint: string
  stop(this: void): Promise<void>
}

interface ServiceCommand {
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly port: number
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A port of the loopback interface that was free a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** A Java virtual machine on a busy computer takes twenty seconds; more is a fault. */
const PATIENCE_MS = 60_000
const POLL_MS = 50

/**
 * Stands between this process and the service, and ends the service when its own input closes: that happens at every
 * end of this process, also one by `kill -9`, of which no handler would hear. It is in a process group of its own, so
 * that Ctrl-C reaches it by that way too, after this process has had the time to stop what uses the service.
 */
const KEEPER = `
  const [command, ...args] = process.argv.slice(1)
  const child = require('node:child_process').spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  child.once('error', ({ message }) => { console.error(message); process.exit(127) })
  child.once('exit', (code) => process.exit(code ?? 1))
  process.stdin.resume().once('close', () => child.kill('SIGKILL'))
`

/** Starts the process and resolves when it listens. */
export const startService = async (service: ServiceCommand): Promise<LocalService> => {
  const { name, command, args, port, cwd, env } = service
  const keeper = spawn(process.execPath, ['-e', KEEPER, '--', command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
  })
  const output: Array<string> = []
  for (const stream of [keeper.stdout, keeper.stderr])
    stream.on('data', (chunk: Buffer) => {
      output.push(chunk.toString())
      if (output.length > 50) output.shift()
    })
  const ended = new Promise<never>((_, reject) => {
    keeper.once('error', (cause) => reject(new Error(`${name} cannot be started`, { cause })))
    keeper.once('exit', (code) => reject(new Error(`${name} ended with ${code}: ${output.join('')}`)))
  })
  ended.catch(() => {})
  const stop = () => ending(keeper)
  try {
    await Promise.race([ended, listening(name, port)])
  } catch (error) {
    await stop()
    throw error
  }
  return { endpoint: `http://127.0.0.1:${port}`, stop }
}

const ending = (keeper: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (keeper.exitCode !== null || keeper.signalCode !== null) return resolve()
    keeper.once('exit', () => resolve())
    keeper.stdin?.destroy()
  })

const listening = async (name: string, port: number): Promise<void> => {
  const until = Date.now() + PATIENCE_MS
  while (Date.now() < until) {
    if (await answers(port)) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`${name} did not listen within ${PATIENCE_MS / 1000} s`)
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
