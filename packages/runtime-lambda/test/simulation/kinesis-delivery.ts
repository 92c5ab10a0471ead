/**
 * Readings of devices on their way through a simulated stream of Kinesis: a function puts them with the producer, and
 * another takes them with the consumer, both as they are deployed, while anything may go wrong that may.
 */
import { CreateStreamCommand, KinesisClient } from '@aws-sdk/client-kinesis'
import { type Clock, E } from '@everfold/core'
import {
  type KinesisProducerOptions,
  kinesisConsumer,
  kinesisProducer,
  type UserRecord,
} from '@everfold/runtime-lambda/kinesis'
import { systemClock } from '@everfold/runtime-lambda/system-clock'
import {
  type Aws,
  type AwsState,
  type Deployment,
  type Oracle,
  type Simulation,
  type Stage,
  setUpAws,
  simulatedAws,
  simulation,
} from '@everfold/runtime-memory/simulation'

const STREAM = 'readings'
const DEVICES = ['a', 'b', 'c']
const BATCHES = 3
const READINGS = 4

export interface DeliveryOptions {
  readonly producer: Partial<KinesisProducerOptions>
  /** Whether the readings of a device are to come in order, doubles aside. */
  readonly ordered: boolean
  readonly parallelizationFactor?: number
  /** A consumer with a bug in it, in place of ours. */
  readonly consumer?: typeof kinesisConsumer
}

export const delivery = async (options: DeliveryOptions): Promise<Simulation> => {
  const state = await setUpAws({
    tables: async (requestHandler) => {
      await clientOf(requestHandler).send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: 2 }))
    },
  })
  const deployment: Deployment = {
    globals: 'virtual',
    open: (stage, oracle) => opened(options, { state, stage, oracle }),
  }
  const service = {
    name: 'readings',
    aggregates: [],
    projections: [],
    processes: [],
    gateways: [],
    routes: [],
  }
  return simulation({ service, workload: () => [], deployment })
}

interface Opening {
  readonly state: AwsState
  readonly stage: Stage
  readonly oracle: Oracle
}

const opened = (options: DeliveryOptions, { state, stage, oracle }: Opening) => {
  const { kernel } = stage
  const aws = simulatedAws(stage, state)
  const readings = bookOf(options, oracle)
  const producer = aws.deploy('producer', { timeoutMs: 60_000 }, () => putting(aws, options))
  const consumer = aws.deploy('consumer', { timeoutMs: 60_000 }, () => taking(stage, options, readings))
  aws.onStream(STREAM, consumer, {
    reportBatchItemFailures: true,
    bisectBatchOnFunctionError: true,
    parallelizationFactor: options.parallelizationFactor ?? 1,
    nameOf: ({ partitionKey, data }) => `${partitionKey} ${data}`,
  })
  /** Whoever has readings tries until they are in the stream, and only then goes on. */
  const send = async (device: string): Promise<void> => {
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const given = Array.from({ length: READINGS }, (_, at) => `${device}${batch * READINGS + at}`)
      for (;;) {
        const outcome = await producer.invoke(given.join(' '), given)
        if (outcome._tag === 'Returned' && outcome.value === true) break
        await kernel.sleep(1000)
      }
    }
    readings.sent(device)
  }
  for (const device of DEVICES)
    kernel.at(kernel.nowMs(), `${device} has readings`, () => void kernel.as(device, () => send(device)))
  return { send: () => Promise.resolve(), ended: readings.complete }
}

const clientOf = (requestHandler: Aws['requestHandler']): KinesisClient =>
  new KinesisClient({
    region: 'us-east-1',
    endpoint: 'https://simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    requestHandler: requestHandler as never,
  })

const putting = (aws: Aws, { producer }: DeliveryOptions) => {
  const client = clientOf(aws.requestHandler)
  const clock: Clock = systemClock
  const { put } = kinesisProducer({ client, stream: STREAM, clock, ...producer })
  return async (event: unknown) => {
    const records = (event as ReadonlyArray<string>).map((reading) => ({
      partitionKey: reading.slice(0, 1),
      data: new TextEncoder().encode(reading),
    }))
    return (await put(records)()).every(E.isRight)
  }
}

/** Each record is an effect on what the consumer keeps, and any of them may fail. */
const taking = ({ kernel }: Stage, { consumer = kinesisConsumer }: DeliveryOptions, readings: Readings) => {
  const perform = kernel.port('readings')
  const take = async (record: UserRecord): Promise<boolean> => {
    const reading = new TextDecoder().decode(record.data)
    const apply = () => {
      readings.taken(reading)
      return true
    }
    return perform('take', reading, apply, { unanswered: () => false })
  }
  return consumer({
    report: () => undefined,
    take: (records) => async () => {
      for (const [taken, record] of records.entries())
        if (!(await take(record))) return E.left({ taken, cause: 'no answer' })
      return E.right(undefined)
    },
  })
}

interface Readings {
  sent(this: void, device: string): void
  taken(this: void, reading: string): void
  complete(this: void): void
}

/** What was taken of each device, doubles counted once. */
const bookOf = ({ ordered }: DeliveryOptions, { judge }: Oracle): Readings => {
  const taken = new Map(DEVICES.map((device) => [device, new Set<number>()]))
  const sent = new Set<string>()
  return {
    sent: (device) => void sent.add(device),
    taken: (reading) => {
      const [device, number] = [reading.slice(0, 1), Number(reading.slice(1))]
      const its = taken.get(device) ?? new Set()
      if (its.has(number)) return
      if (ordered && number !== its.size)
        judge.broken('order', `a device's readings come in order, and ${reading} came as number ${its.size}`)
      its.add(number)
    },
    complete: () => {
      for (const [device, { size }] of taken)
        if (!sent.has(device) || size !== BATCHES * READINGS)
          judge.broken('loss', `every reading is taken in the end, and ${size} of ${device} were`)
    },
  }
}
