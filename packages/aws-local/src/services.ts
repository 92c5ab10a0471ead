/** The services that are real, all at once: what a test run, a benchmark or a shop on this machine needs. */
import { startDynamoDb } from './dynamo-db.ts'
import { startFauxqs } from './fauxqs.ts'
import { startKinesis } from './kinesis.ts'

/** Where each service answers. A type, not an interface, because a test run hands it on as plain data. */
export type Endpoints = {
  /** DynamoDB, and DynamoDB Streams. */
  readonly dynamoDb: string
  readonly kinesis: string
  readonly s3: string
  readonly sqs: string
}

export interface Services {
  readonly endpoints: Endpoints
  stop(this: void): Promise<void>
}

/** Starts them beside each other; if one cannot be started, none is left running. */
export const startServices = async (): Promise<Services> => {
  const starting = [startDynamoDb(), startKinesis(), startFauxqs()] as const
  const stop = async () => {
    for (const one of await Promise.allSettled(starting))
      if (one.status === 'fulfilled') await one.value.stop()
  }
  try {
    const [dynamoDb, kinesis, fauxqs] = await Promise.all(starting)
    return {
      endpoints: {
        dynamoDb: dynamoDb.endpoint,
        kinesis: kinesis.endpoint,
        s3: fauxqs.endpoint,
        sqs: fauxqs.endpoint,
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
