/** A replay's storage on DynamoDB: on services of its own, or on those of a file, which outlive it. */
import { readFile } from 'node:fs/promises'
import { JavaMissing } from '@everfold/aws-local'
import { decode, E, type EventStore } from '@everfold/core'
import { outside } from '@everfold/runtime-memory'
import { publisher } from '../bus.ts'
import { openCloud, Services, startServices } from '../cloud.ts'
import { logOf } from '../log.ts'
import { remoteLedger, remoteStripe } from '../remote-stripe.ts'
import { type Storage, Unreadable, Unstartable } from './storage.ts'

export const onDynamoDb = async (file: string | undefined): Promise<Storage> => {
  const started = file === undefined ? await servicesOfOurOwn() : undefined
  const services = started?.services ?? (await servicesIn(file ?? ''))
  const { stripe, bus } = services
  // Also tells whoever kills a replay that from now on there is something to lose.
  process.stderr.write(`opening the store at ${services.dynamoDb}\n`)
  const cloud = await openCloud(services)
  const publishing = bus === undefined ? undefined : publisher(bus, cloud.changes)
  return {
    reachedMs: await newestMs(cloud.store),
    house: (kernel) => ({
      ports: {
        store: outside(kernel, cloud.store),
        changes: outside(kernel, cloud.changes),
        views: outside(kernel, cloud.views),
        keys: outside(kernel, cloud.keys),
      },
      // Nobody else appends.
      pollMs: Number.POSITIVE_INFINITY,
      ...(stripe === undefined
        ? {}
        : {
            connect: () => Promise.resolve(remoteStripe(stripe, kernel)),
            ledger: () => remoteLedger(stripe),
          }),
    }),
    published: async () => publishing?.finish(),
    close: async () => started?.stop(),
  }
}

const servicesOfOurOwn = async () => {
  try {
    return await startServices()
  } catch (error) {
    throw error instanceof JavaMissing ? new Unstartable(error.message) : error
  }
}

const newestMs = async (store: EventStore): Promise<number> => {
  let newest = 0
  for await (const { timeMs } of logOf(store)) newest = Math.max(newest, timeMs)
  return newest
}

const servicesIn = async (file: string): Promise<Services> => {
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new Unreadable(`${file} cannot be read: ${(error as Error).message}`)
  }
  const decoded = decode(Services, content)
  if (E.isRight(decoded)) return decoded.right
  const faults = decoded.left.errors.map(({ pointer, detail }) => `\n  ${pointer || '/'} ${detail}`)
  throw new Unreadable(`${file} does not say where the services are:${faults.join('')}`)
}
