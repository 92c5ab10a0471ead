/** Bugs of what is sent, when, and of what the services' answers about it mean. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { type Commit, E, type EventStore, type Fault, outbox } from '@everfold/core'
import { sqsQueue } from '@everfold/runtime-lambda/queue'
import { relay } from '@everfold/runtime-lambda/relay'
import { barOf, tab } from '../../../../runtime-memory/test/bar.ts'
import type { Mutant } from '../../../../runtime-memory/test/simulation/mutants/mutant.ts'
import type { LambdaParts, SandboxPorts } from '../../../src/simulate/on-lambda.ts'
import { barOnLambda } from './bar-on-lambda.ts'
import { type Tamper, tampered } from './tampered.ts'

/** Puts a commit's events on the bus from within a command handler. */
const publisherOf = ({ configuration, clock }: SandboxPorts) => {
  const publish = relay({
    client: new EventBridgeClient(configuration),
    bus: 'service',
    source: 'bar',
    clock,
  })
  return async (commit: Commit): Promise<E.Either<Fault, void>> => (await publish([commit]))[0] ?? NOTHING
}

const NOTHING: E.Either<never, void> = E.right(undefined)

/** A handler's append with something before it, or after it. */
const around =
  (
    work: (sandbox: SandboxPorts) => (commit: Commit) => Promise<E.Either<Fault, void>>,
    when: 'before' | 'after',
  ): LambdaParts['executePorts'] =>
  (ports, sandbox) => {
    const doing = work(sandbox)
    const append: EventStore['append'] = (commit) => async () => {
      if (when === 'before' && E.isLeft(await doing(commit))) return E.left({ _tag: 'OutcomeUnknown' })
      const appended = await ports.store.append(commit)()
      if (when === 'after' && E.isRight(appended)) await doing(commit)
      return appended
    }
    return { ...ports, store: { ...ports.store, append } }
  }

const allDone: LambdaParts['relay'] = () => (commits) => Promise.resolve(commits.map(() => NOTHING))

/** Sets the timers that a commit is going to ask for. */
const timing = ({ timers }: SandboxPorts) => {
  const asked = outbox(barOf(tab))
  return async (commit: Commit): Promise<E.Either<Fault, void>> => {
    const deliveries = asked(commit)
    if (E.isLeft(deliveries)) return deliveries
    for (const delivery of deliveries.right)
      if (delivery._tag === 'Schedule') {
        const done = await timers.schedule(delivery.timer)()
        if (E.isLeft(done)) return done
      }
    return NOTHING
  }
}

/** Takes all entries of a call for accepted. */
const allAccepted: Tamper = async (command, send) => {
  const { Entries: entries } = await send(command)
  const accepted = (entries as ReadonlyArray<object>).map(() => ({ EventId: 'accepted' }))
  return { FailedEntryCount: 0, Entries: accepted }
}

const noneFailed: Tamper = async (command, send) => {
  const { Failed: _, ...answer } = await send(command)
  return answer
}

export const publishing: ReadonlyArray<Mutant> = [
  {
    name: '5 publish before append (SDK)',
    bug: 'A command handler puts events on the bus, and then its commit into the table.',
    breaks: ['S8'],
    options: barOnLambda({ executePorts: around(publisherOf, 'before') }),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '6 dual write (SDK)',
    bug: 'A command handler puts its commit into the table, and then events on the bus; nobody else does.',
    breaks: ['E1'],
    options: barOnLambda({ executePorts: around(publisherOf, 'after'), relay: allDone }),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '6b timers are set before the commit (SDK)',
    bug: 'A command handler sets the timers of a commit before it is put, which it may never be.',
    breaks: ['S8'],
    options: barOnLambda({ executePorts: around(timing, 'before') }),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '12 FailedEntryCount is ignored (SDK)',
    bug: 'A call of PutEvents that succeeded is taken to have published all of its entries.',
    breaks: ['E1'],
    options: barOnLambda({
      relay: (options) => relay({ ...options, client: tampered(options.client, allAccepted) }),
    }),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '12b Failed of SendMessageBatch is ignored (SDK)',
    bug: 'A call of SendMessageBatch that succeeded is taken to have sent all of its messages.',
    breaks: ['S5', 'E1'],
    options: barOnLambda({
      queue: (options) => sqsQueue({ ...options, client: tampered(options.client, noneFailed) }),
    }),
    budget: 100,
    level: 'sdk',
  },
]
