/** Bugs of consumers: what they tell Lambda of a batch. */
import { E } from '@everfold/core'
import { commandConsumer } from '@everfold/runtime-lambda/commands'
import { batchConsumer, type WorkBatch } from '@everfold/runtime-lambda/consumers'
import { rush } from '../../../../runtime-memory/test/simulation/mutants/bar-simulation.ts'
import type { Mutant } from '../../../../runtime-memory/test/simulation/mutants/mutant.ts'
import type { LambdaParts } from '../../../src/simulate/on-lambda.ts'
import { barOnLambda } from './bar-on-lambda.ts'

type Consumer = LambdaParts['batchConsumer']
type Answer = Awaited<ReturnType<ReturnType<Consumer>>>

/** A consumer of the stream with another way to work. */
const working =
  (work: (own: WorkBatch) => WorkBatch): Consumer =>
  (options) =>
    batchConsumer({ ...options, work: work(options.work) })

const DONE = E.right(undefined)

/** The records of an event, as a consumer of a stream is given them. */
const recordsIn = (event: unknown) => (event as { readonly Records: ReadonlyArray<StreamRecord> }).Records

interface StreamRecord {
  readonly dynamodb: {
    readonly SequenceNumber: string
    readonly Keys: { readonly pk: { readonly S: string }; readonly sk: { readonly N: string } }
  }
}

const highest: Consumer =
  (options) =>
  async (event): Promise<Answer> => {
    const failed = new Set<string>()
    const work: WorkBatch = async (commits) => {
      const outcomes = await options.work(commits)
      for (const [at, { stream, number }] of commits.entries())
        if (outcomes[at]?._tag !== 'Right') failed.add(`${stream} ${number}`)
      return outcomes
    }
    await batchConsumer({ ...options, work })(event)
    const isFailed = ({ dynamodb: { Keys: keys } }: StreamRecord) => failed.has(`${keys.pk.S} ${keys.sk.N}`)
    const last = recordsIn(event).findLast(isFailed)
    return {
      batchItemFailures: last === undefined ? [] : [{ itemIdentifier: last.dynamodb.SequenceNumber }],
    }
  }

/** Of each group, the first message that failed and none behind it. */
const onlyTheFailed: LambdaParts['commandConsumer'] = (options) => {
  const consume = commandConsumer(options)
  return async (event) => {
    const { batchItemFailures: failures } = await consume(event)
    const { Records: records } = event as { readonly Records: ReadonlyArray<Message> }
    const groupOf = (id: string) =>
      records.find(({ messageId }) => messageId === id)?.attributes.MessageGroupId
    const groups = new Set<string | undefined>()
    const isFirst = (group: string | undefined) => groups.size < groups.add(group).size
    return {
      batchItemFailures: failures.filter(({ itemIdentifier }) => isFirst(groupOf(itemIdentifier))),
    }
  }
}

interface Message {
  readonly messageId: string
  readonly attributes: { readonly MessageGroupId?: string }
}

export const consuming: ReadonlyArray<Mutant> = [
  {
    name: '10 a batch is acknowledged before the work (SDK)',
    bug: 'A consumer of the stream does not wait for the work that it begins.',
    breaks: ['S12', 'S5'],
    options: barOnLambda({
      batchConsumer: working((own) => (commits) => {
        void own(commits)
        return Promise.resolve(commits.map(() => DONE))
      }),
    }),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '11 an error is swallowed (SDK)',
    bug: 'A consumer of the stream says that it has taken in what it could not.',
    breaks: ['S5', 'E1'],
    options: barOnLambda({
      batchConsumer: working((own) => async (commits) => {
        await own(commits)
        return commits.map(() => DONE)
      }),
    }),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '11b the highest failure is reported (SDK)',
    bug: 'A consumer of the stream reports the last record that failed, and Lambda goes on behind the first.',
    breaks: ['S5', 'E1'],
    options: barOnLambda({ batchConsumer: highest }, { workload: rush }),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '11d what waits behind a failed message is not reported (SDK)',
    bug: 'A consumer of a FIFO queue reports the message that failed, and those behind it in its group count as done.',
    breaks: ['E1', 'E5'],
    options: barOnLambda({ commandConsumer: onlyTheFailed }, { workload: rush }),
    budget: 100,
    level: 'sdk',
  },
]
