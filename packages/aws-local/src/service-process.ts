/** Services that run as processes beside this one, on ports that the system picks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, connect, createServer } from 'node:net'

/** A service that is listening. */
export interface LocalService {
  readonly endpoint: string
  stop(this: void): Promise<void>
}

export interface ServiceCommand {
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
const POLL_MS = 100

/** Starts the process and resolves when it listens; it ends with this one. */
export const startService = async (service: ServiceCommand): Promise<LocalService> => {
  const { name, command, args, port, cwd, env } = service
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
  })
  const output: Array<string> = []
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output.push(chunk.toString())
      if (output.length > 50) output.shift()
    })
  const ended = new Promise<never>((_, reject) => {
    child.once('error', (cause) => reject(new Error(`${name} cannot be started`, { cause })))
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}: ${output.join('')}`)))
  })
  ended.catch(() => {})
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  try {
    await Promise.race([ended, listening(name, port)])
  } catch (error) {
    kill()
    throw error
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: async () => {
      process.off('exit', kill)
      await ending(child)
    },
  }
}

const ending = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 2000).unref()
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
