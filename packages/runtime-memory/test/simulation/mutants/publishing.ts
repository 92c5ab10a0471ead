/** Bugs of what is sent, when, and of what a consumer makes of it. */
import { deliver, dispatchOf, E, outbox } from '@everfold/core'
import { type Functions, functions } from '../../../src/simulation/deployment/functions.ts'
import { barWith } from './bar-simulation.ts'
import type { Mutant } from './mutant.ts'
import { type Handling, plainApi, plainCommands, type Steps } from './plain-handler.ts'
import { type PlainStore, plainStore } from './plain-store.ts'

const publish: Steps['after'] = async (commit, { ports }: Handling) => {
  const deliveries = outbox(ports.service)(commit)
  return E.isLeft(deliveries) ? deliveries : deliver(deliveries.right, ports.to)()
}

const DONE = { batchItemFailures: [] }

/** Says that all went well, whatever it was. */
const swallowing: Functions['relay'] = (ports) => {
  const relay = functions.relay(ports)
  return async (batch) => {
    for (const placed of batch) await relay([placed])
    return DONE
  }
}

/** Every message has a mark, and what has one is passed over. */
const markedFirst: Functions['commands'] = (ports) => {
  const commands = functions.commands(ports)
  return async (batch) => {
    for (const [at, message] of batch.entries()) {
      const left = batch.slice(at).map(({ id }) => id)
      const carried = dispatchOf(ports.aggregates, message.body)
      if (E.isLeft(carried)) return left
      const { stream, envelope } = carried.right.dispatch
      const marker = await ports.store.marker(stream, envelope.id)()
      if (E.isLeft(marker)) return left
      if (marker.right !== undefined) continue
      if (E.isLeft(await (ports.store as PlainStore).mark(stream, envelope.id)())) return left
      if ((await commands([message])).length > 0) return left
    }
    return []
  }
}

export const publishing: ReadonlyArray<Mutant> = [
  {
    name: '5 publish before append',
    bug: 'A handler sends what its commit asks for, and then appends it.',
    breaks: ['S8'],
    options: barWith({ functions: { api: plainApi(() => ({ before: publish })) } }),
    budget: 100,
    level: 'port',
  },
  {
    name: '6 dual write',
    bug: 'A handler appends its commit, and then sends what it asks for; nobody else does.',
    breaks: ['S5', 'E1'],
    options: barWith({
      functions: {
        api: plainApi(() => ({ after: publish })),
        commands: plainCommands(() => ({ after: publish })),
        calls: functions.calls,
        relay: () => async () => DONE,
      },
    }),
    budget: 200,
    level: 'port',
    behind: { unjudged: ['S5'], breaks: ['E1'] },
  },
  {
    name: '11c an error of the relay is swallowed',
    bug: 'The relay says that it has sent what it could not send.',
    breaks: ['S5', 'E1'],
    options: barWith({ functions: { relay: swallowing } }),
    budget: 100,
    level: 'port',
    behind: { unjudged: ['S5'], breaks: ['E1', 'E5'] },
  },
  {
    name: '13 marked first, done second',
    bug: 'A consumer marks a message as done, and then does it.',
    breaks: ['E1'],
    options: barWith({ store: plainStore, functions: { commands: markedFirst } }),
    budget: 200,
    level: 'port',
  },
  {
    name: '13b no deduplication',
    bug: 'A consumer does what it is sent as often as it is sent.',
    breaks: ['S3'],
    options: barWith({
      functions: { commands: plainCommands(() => ({ isDone: async () => E.right(false) })) },
    }),
    budget: 200,
    level: 'port',
  },
]
