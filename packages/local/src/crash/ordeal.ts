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
import { startDynamoDb, startEventBridge, startKms } from '@everfold/aws-local'
import { Services } from '../cloud.ts'
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

/** Throws where anything is missing, twice or wrong. */
export const ordeal = async ({ kills, orders, random, progress }: OrdealOptions): Promise<Survived> => {
  const folder = await mkdtemp(join(tmpdir(), 'everfold-ordeal-'))
  const [dynamoDb, kms] = await Promise.all([startDynamoDb(), startKms()])
  let survived: Survived = {
    kills: 0,
    replays: 0,
    commits: 0,
    events: 0,
    rows: 0,
    published: 0,
    redelivered: 0,
  }
  try {
    const shared = { dynamoDb: dynamoDb.endpoint, kms: { endpoint: kms.endpoint, keyId: kms.keyId } }
    const files = await writeFiles(folder, orders)
    // The first replay is not killed: it says how long one takes, and how many events there are to be.
    const whole = await endure({ folder, files, shared, name: 'whole', killAfter: () => undefined })
    survived = added(survived, whole.judged)
    while (survived.kills < kills) {
      const before = survived.kills
      const killAfter = (killed: number) => (before + killed < kills ? random() * whole.longestMs : undefined)
      const name = `replay-${survived.replays}`
      const { judged, killed } = await endure({ folder, files, shared, name, killAfter })
      if (judged.events !== whole.judged.events)
        throw new Error(`${judged.events} events instead of ${whole.judged.events}`)
      survived = { ...added(survived, judged), kills: before + killed }
      progress?.(survived)
    }
    return survived
  } finally {
    await Promise.all([dynamoDb.stop(), kms.stop()])
    await rm(folder, { recursive: true, force: true })
  }
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
  readonly shared: Pick<Services, 'dynamoDb' | 'kms'> | { readonly dynamoDb: string; readonly kms: object }
  readonly name: string
  /** After how many milliseconds to kill the next process, which so many were killed before; undefined spares it. */
  readonly killAfter: (killed: number) => number | undefined
}

interface Endured {
  readonly judged: Judged
  readonly killed: number
  /** The longest that a process which was not killed took. */
  readonly longestMs: number
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
      const started = performance.now()
      const ended = await run(args, killAfter(killed))
      if (ended === 'killed') killed += 1
      else
        return {
          judged: await judge(services, bus.published),
          killed,
          longestMs: performance.now() - started,
        }
    }
  } finally {
    await Promise.all([bus.stop(), stripe.close()])
  }
}

const REPLAY = fileURLToPath(new URL('../replay/main.ts', import.meta.url))

/** The replay in a process of its own, killed after so long; throws where it ends otherwise than well. */
const run = async (
  args: ReadonlyArray<string>,
  killAfterMs: number | undefined,
): Promise<'killed' | 'ended'> => {
  const child: ChildProcess = spawn(process.execPath, ['--conditions=@everfold/source', REPLAY, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  if (signal === 'SIGKILL') return 'killed'
  if (code === 0) return 'ended'
  throw new Error(`the replay ended with ${code ?? signal}: ${said}`)
}
