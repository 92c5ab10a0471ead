/**
 * The ordeal: a replay on DynamoDB that is killed with SIGKILL at random points, begun again each time until it ends,
 * and then judged: the store, the views, the books of the provider and what was published.
 *
 * DynamoDB, KMS, EventBridge and Stripe outlive it, as they would; all that is in the replay's memory is lost.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startEventBridge } from '@everfold/aws-local'
import { type Services, startServices } from '../cloud.ts'
import { serveStripe } from '../remote-stripe.ts'
import { filesOf } from './files.ts'
import { type Judged, judge } from './judgement.ts'

export interface OrdealOptions {
  /** How many times to kill. */
  readonly kills: number
  /** How many orders each replay has. */
  readonly orders: number
  /** A number in [0, 1): where the next kill falls. */
  random(this: void): number
  /** Told after every kill and every replay that ended. */
  readonly progress?: (survived: Survived) => void
}

export interface Survived extends Judged {
  readonly kills: number
  /** Replays that came to their end, each killed until then as often as it fell. */
  readonly replays: number
}

/** Throws where anything is missing, twice or wrong, and says when each process was to be killed. */
export const ordeal = async (options: OrdealOptions): Promise<Survived> => {
  const { services: shared, stop } = await startServices()
  const folder = await mkdtemp(join(tmpdir(), 'everfold-ordeal-'))
  const delays: Array<string> = []
  try {
    return await survive({ ...options, folder, shared, delays })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${reason}\nkilled after, in ms: ${delays.join(', ') || 'never'}`, { cause: error })
  } finally {
    await stop()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Course extends OrdealOptions, Pick<Trial, 'folder' | 'shared'> {
  /** When each process was to be killed, by the name of its replay. */
  readonly delays: Array<string>
}

const survive = async (course: Course): Promise<Survived> => {
  const { kills, orders, random, progress, folder, shared, delays } = course
  const files = await writeFiles(folder, orders)
  // The first replay is not killed: it says how long one takes, and how many events there are to be.
  const whole = await endure({ folder, files, shared, name: 'whole', killAfter: () => undefined })
  let survived = added(NOTHING, whole.judged)
  while (survived.kills < kills) {
    const before = survived.kills
    const name = `replay-${survived.replays}`
    const killAfter = (killed: number): number | undefined => {
      if (before + killed >= kills) return undefined
      const delayMs = Math.round(random() * whole.tookMs)
      delays.push(`${name} ${delayMs}`)
      return delayMs
    }
    const { judged, killed } = await endure({ folder, files, shared, name, killAfter })
    if (judged.events !== whole.judged.events)
      throw new Error(`${name} has ${judged.events} events instead of ${whole.judged.events}`)
    survived = { ...added(survived, judged), kills: before + killed }
    progress?.(survived)
  }
  return survived
}

const NOTHING: Survived = {
  kills: 0,
  replays: 0,
  commits: 0,
  events: 0,
  rows: 0,
  published: 0,
  redelivered: 0,
}

const added = (survived: Survived, judged: Judged): Survived => ({
  kills: survived.kills,
  replays: survived.replays + 1,
  commits: survived.commits + judged.commits,
  events: survived.events + judged.events,
  rows: survived.rows + judged.rows,
  published: survived.published + judged.published,
  redelivered: survived.redelivered + judged.redelivered,
})

const writeFiles = async (folder: string, orders: number): Promise<ReadonlyArray<string>> => {
  const { products, sales } = filesOf(orders)
  const files = [join(folder, 'products.csv'), join(folder, 'orders.csv')]
  await writeFile(files[0] ?? '', products)
  await writeFile(files[1] ?? '', sales)
  return files
}

interface Trial {
  readonly folder: string
  readonly files: ReadonlyArray<string>
  readonly shared: Pick<Services, 'dynamoDb' | 'kms'>
  readonly name: string
  /** How long after its first word to kill the next process, which so many were killed before; undefined spares it. */
  readonly killAfter: (killed: number) => number | undefined
}

interface Endured {
  readonly judged: Judged
  readonly killed: number
  /** How long the process that came to the end took for it, from its first word on. */
  readonly tookMs: number
}

/** One replay, on tables, a bus and a Stripe of its own, until it comes to its end. */
const endure = async ({ folder, files, shared, name, killAfter }: Trial): Promise<Endured> => {
  const [bus, stripe] = await Promise.all([startEventBridge(), serveStripe(name)])
  try {
    const services = {
      ...shared,
      prefix: name,
      stripe: stripe.url,
      bus: { endpoint: bus.endpoint, checkpoint: join(folder, `${name}.checkpoint`) },
    } as Services
    const file = join(folder, `${name}.json`)
    await writeFile(file, JSON.stringify(services))
    const args = [...files, '--json', '--store', 'dynamodb', '--services', file]
    for (let killed = 0; ; ) {
      const tookMs = await run(args, killAfter(killed))
      if (tookMs !== undefined) return { judged: await judge(services, bus.published), killed, tookMs }
      killed += 1
    }
  } finally {
    await Promise.all([bus.stop(), stripe.close()])
  }
}

const REPLAY = fileURLToPath(new URL('../replay/main.ts', import.meta.url))

/** A replay of a few orders takes seconds; one that takes so long waits for what does not come. */
const HUNG_MS = 120_000

/**
 * The replay in a process of its own, killed so long after its first word; throws where it ends otherwise than well.
 * Answers how long it took from its first word to its end, and nothing where it was killed.
 *
 * It says its first word when it turns to its store: nothing can be lost before, and loading takes the most time.
 */
const run = async (
  args: ReadonlyArray<string>,
  killAfterMs: number | undefined,
): Promise<number | undefined> => {
  const child: ChildProcess = spawn(process.execPath, ['--conditions=@everfold/source', REPLAY, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  let startedMs = performance.now()
  let timer: NodeJS.Timeout | undefined
  const speaks = (): void => {
    startedMs = performance.now()
    if (killAfterMs !== undefined) timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  }
  child.stderr?.setEncoding('utf8').once('data', speaks)
  child.stderr?.on('data', (text: string) => (said += text))
  const hung = setTimeout(() => child.kill('SIGTERM'), HUNG_MS)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  clearTimeout(hung)
  if (signal === 'SIGKILL') return undefined
  if (code === 0) return performance.now() - startedMs
  throw new Error(`the replay ended with ${code ?? signal}: ${said}`)
}
