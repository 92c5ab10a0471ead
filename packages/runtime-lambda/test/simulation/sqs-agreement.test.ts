/**
 * The simulated SQS and fauxqs, asked the same one after the other, answer the same: as far as fauxqs is right.
 *
 * It is not asked what it has otherwise than AWS: of a FIFO group it gives one message at a time, so here every receive
 * of one asks for one; it forgets a receipt when its message is visible again, and says nothing of one that has ended,
 * so here only the latest receipt settles, and only in time; it puts what comes again behind everything else of a
 * standard queue, so there whole answers are compared and not their order; and it drops no message for its age.
 */
import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { sqsModel } from '../../../runtime-memory/src/simulation/models/sqs.ts'
import { sqsWire } from '../../../runtime-memory/src/simulation/sdk/sqs.ts'
import { useLocalSqs } from '../local-queue.ts'

const local = useLocalSqs()

const simulated = (): SQSClient => {
  let state = sqsModel.initial
  const handle = async (request: Parameters<typeof sqsWire.wire>[1]) => {
    const { state: next, answer } = sqsWire.wire(state, request, { nowMs: Date.now() })
    state = next
    return { response: answer }
  }
  return new SQSClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: { handle } as never,
  })
}

type Act =
  | { readonly _tag: 'Send'; readonly ids: ReadonlyArray<number> }
  | { readonly _tag: 'Receive' }
  | { readonly _tag: 'Delete' | 'Release'; readonly which: number }
  | { readonly _tag: 'Wait'; readonly seconds: number }

const anAct: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    _tag: fc.constant('Send' as const),
    ids: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ _tag: fc.constant('Receive' as const) }),
  fc.record({ _tag: fc.constantFrom('Delete' as const, 'Release' as const), which: fc.nat(5) }),
  fc.record({ _tag: fc.constant('Wait' as const), seconds: fc.constantFrom(1, 29, 30, 299, 300) }),
)

/** One queue of one service, and what was received of it. */
interface Side {
  readonly client: SQSClient
  readonly QueueUrl: string
  readonly held: Map<string, { readonly receipt: string; readonly receivedMs: number }>
}

interface Asking {
  readonly fifo: boolean
  /** In its history; on a standard queue it tells a body from every other. */
  readonly place: number
}

/** What is held, by a receipt that has not ended. */
const inTime = ({ held }: Side): ReadonlyArray<readonly [string, string]> =>
  [...held]
    .filter(([, { receivedMs }]) => Date.now() < receivedMs + 30_000)
    .map(([body, { receipt }]) => [body, receipt] as const)
    .toSorted(([one], [other]) => one.localeCompare(other))

const told = async (side: Side, act: Act, { fifo, place }: Asking): Promise<unknown> => {
  const { client, held, QueueUrl } = side
  switch (act._tag) {
    case 'Send': {
      const Entries = act.ids.map((id) => ({
        Id: `${id}`,
        MessageBody: fifo ? `body ${id}` : `body ${id} of ${place}`,
        MessageAttributes: { raw: { DataType: 'Binary', BinaryValue: Uint8Array.of(id) } },
        ...(fifo ? { MessageGroupId: 'g', MessageDeduplicationId: `${id}` } : {}),
      }))
      const { Successful = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
      return Successful.map(({ Id, MD5OfMessageAttributes, MD5OfMessageBody }) => [
        Id,
        MD5OfMessageBody,
        MD5OfMessageAttributes,
      ])
    }
    case 'Receive': {
      const names = { MessageSystemAttributeNames: ['All' as const], MessageAttributeNames: ['All'] }
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: fifo ? 1 : 10,
          WaitTimeSeconds: 0,
          ...names,
        }),
      )
      for (const { Body = '', ReceiptHandle: receipt = '' } of Messages)
        held.set(Body, { receipt, receivedMs: Date.now() })
      const sorted = Messages.toSorted(({ Body: one = '' }, { Body: other = '' }) => one.localeCompare(other))
      return sorted.map(({ Attributes, Body, MD5OfMessageAttributes, MessageAttributes }) => [
        Body,
        MessageAttributes,
        MD5OfMessageAttributes,
        SAME.map((name) => Attributes?.[name]),
      ])
    }
    case 'Delete':
    case 'Release': {
      const [body, ReceiptHandle] = inTime(side)[act.which] ?? []
      if (body === undefined) return undefined
      held.delete(body)
      const Entries = [{ Id: '0', ReceiptHandle }]
      const { Successful = [] } =
        act._tag === 'Delete'
          ? await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
          : await client.send(
              new ChangeMessageVisibilityBatchCommand({
                QueueUrl,
                Entries: Entries.map((entry) => Object.assign(entry, { VisibilityTimeout: 0 })),
              }),
            )
      return Successful
    }
    case 'Wait':
      return undefined
  }
}

const SAME = [
  'ApproximateReceiveCount',
  'SentTimestamp',
  'ApproximateFirstReceiveTimestamp',
  'MessageGroupId',
] as const

describe('on any history', () => {
  property.prop([fc.array(anAct, { maxLength: 30, size: 'max' }), fc.boolean()], { numRuns: 40 })(
    'the simulated SQS answers as fauxqs does',
    async (script, fifo) => {
      const name = fifo ? 'orders.fifo' : 'orders'
      const client = simulated()
      const Attributes = fifo ? { FifoQueue: 'true' } : {}
      const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes }))
      const ours: Side = { client, QueueUrl, held: new Map() }
      const theirs: Side = {
        client: local.client,
        QueueUrl: await local.queue(fifo ? 'fifo' : 'standard'),
        held: new Map(),
      }
      let sent = 0
      for (const [place, act] of script.entries()) {
        const asking = { fifo, place }
        // More than one answer holds would be an unlike choice of them.
        if (act._tag === 'Send' && !fifo && (sent += act.ids.length) > 10) continue
        if (act._tag === 'Wait') {
          await local.advance(act.seconds * 1000)
          continue
        }
        expect(await told(ours, act, asking)).toEqual(await told(theirs, act, asking))
      }
    },
  )
})
