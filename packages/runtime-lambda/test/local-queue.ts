/** Queues on SQS as fauxqs has it, in this process, so that a test can let its time pass; and an SQS in trouble. */
import { randomUUID } from 'node:crypto'
import {
  type BatchResultErrorEntry,
  CreateQueueCommand,
  type CreateQueueCommandInput,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { localClient, startFauxqs } from '@everfold/aws-local'
import { afterAll, beforeAll, vi } from 'vitest'

export interface LocalSqs {
  readonly client: SQSClient
  /** A queue of its own for the caller. */
  readonly queue: (
    kind: 'fifo' | 'standard',
    attributes?: CreateQueueCommandInput['Attributes'],
  ) => Promise<string>
  /** Lets the time of SQS pass. */
  readonly advance: (ms: number) => Promise<void>
}

/** For the tests of one file. */
export const useLocalSqs = (): LocalSqs => {
  let server: { readonly endpoint: string; stop(this: void): Promise<void> } | undefined
  let client: SQSClient | undefined
  beforeAll(async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    server = await startFauxqs()
    client = new SQSClient(localClient(server.endpoint))
  })
  afterAll(async () => {
    client?.destroy()
    await server?.stop()
    vi.useRealTimers()
  })
  const started = (): SQSClient => {
    if (client === undefined) throw new Error('before the tests')
    return client
  }
  return {
    get client() {
      return started()
    },
    queue: async (kind, attributes = {}) => {
      const fifo = kind === 'fifo'
      const { QueueUrl: url = '' } = await started().send(
        new CreateQueueCommand({
          QueueName: `${randomUUID()}${fifo ? '.fifo' : ''}`,
          Attributes: { ...(fifo ? { FifoQueue: 'true' } : {}), ...attributes },
        }),
      )
      return url
    },
    advance: async (ms) => {
      vi.setSystemTime(Date.now() + ms)
    },
  }
}

/** What SQS does to one batch of messages; of the entries at these places, for some. */
export type Trouble =
  | { readonly _tag: 'None' }
  | { readonly _tag: 'Throttled' }
  | { readonly _tag: 'ResponseLost' }
  | { readonly _tag: 'EntriesFailed' | 'EntriesRefused'; readonly places: ReadonlyArray<number> }

/** The same client, but that batches of messages meet these troubles, one after the other; then none any more. */
export const troubled = (
  client: SQSClient,
  troubles: ReadonlyArray<Trouble>,
  watch: (command: SendMessageBatchCommand) => void = () => {},
): SQSClient => {
  const coming = [...troubles]
  const send = async (command: unknown): Promise<unknown> => {
    if (!(command instanceof SendMessageBatchCommand)) return client.send(command as never)
    watch(command)
    const trouble = coming.shift() ?? { _tag: 'None' }
    switch (trouble._tag) {
      case 'None':
        return client.send(command)
      case 'Throttled':
        throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' })
      case 'ResponseLost':
        await client.send(command)
        throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
      case 'EntriesFailed':
      case 'EntriesRefused':
        return failing(client, command, trouble)
    }
  }
  return { send } as unknown as SQSClient
}

const failing = async (
  client: SQSClient,
  { input }: SendMessageBatchCommand,
  { _tag, places }: Extract<Trouble, { readonly places: unknown }>,
) => {
  const all = input.Entries ?? []
  const taken = all.filter((_, at) => !places.includes(at))
  const why =
    _tag === 'EntriesFailed'
      ? { SenderFault: false, Code: 'InternalError' }
      : { SenderFault: true, Code: 'InvalidMessageContents' }
  const failed = all
    .filter((_, at) => places.includes(at))
    .map(({ Id }): BatchResultErrorEntry => Object.assign({ Id }, why))
  if (taken.length === 0) return { Failed: failed }
  const { Failed = [] } = await client.send(new SendMessageBatchCommand({ ...input, Entries: taken }))
  return { Failed: [...Failed, ...failed] }
}
