/**
 * AWS's list prices for us-east-1 in US dollars, on demand, without free tiers and savings: what the cost page counts with.
 *
 * `checked` are those that were found in public copies of AWS's price list of 2026; the others are as they were known
 * when this was written, and have to be looked up before anybody relies on them.
 */
export interface Price {
  readonly service: string
  readonly what: string
  readonly dollars: number
  /** How many units the price is for. */
  readonly per: number
  readonly source: string
  readonly checked: boolean
}

export const PRICES_OF = '2026-11'

const MILLION = 1_000_000
const aws = (page: string): string => `aws.amazon.com/${page}/pricing`

export const PRICES = {
  write: {
    service: 'DynamoDB',
    what: 'write request units',
    dollars: 0.625,
    per: MILLION,
    source: aws('dynamodb'),
    checked: true,
  },
  read: {
    service: 'DynamoDB',
    what: 'read request units',
    dollars: 0.125,
    per: MILLION,
    source: aws('dynamodb'),
    checked: true,
  },
  storage: {
    service: 'DynamoDB',
    what: 'GB stored for a month',
    dollars: 0.25,
    per: 1,
    source: aws('dynamodb'),
    checked: true,
  },
  streams: {
    service: 'DynamoDB Streams',
    what: 'reads, but none by a Lambda trigger',
    dollars: 0.02,
    per: 100_000,
    source: aws('dynamodb'),
    checked: false,
  },
  event: {
    service: 'EventBridge',
    what: 'events of up to 64 KB',
    dollars: 1,
    per: MILLION,
    source: aws('eventbridge'),
    checked: false,
  },
  schedule: {
    service: 'EventBridge Scheduler',
    what: 'timers',
    dollars: 1,
    per: MILLION,
    source: aws('eventbridge'),
    checked: false,
  },
  sqs: {
    service: 'SQS, standard',
    what: 'requests',
    dollars: 0.4,
    per: MILLION,
    source: aws('sqs'),
    checked: false,
  },
  fifo: {
    service: 'SQS, FIFO',
    what: 'requests',
    dollars: 0.5,
    per: MILLION,
    source: aws('sqs'),
    checked: false,
  },
  invocation: {
    service: 'Lambda',
    what: 'requests',
    dollars: 0.2,
    per: MILLION,
    source: aws('lambda'),
    checked: true,
  },
  compute: {
    service: 'Lambda, arm64',
    what: 'GB-seconds',
    dollars: 13.3334,
    per: MILLION,
    source: aws('lambda'),
    checked: true,
  },
  api: {
    service: 'API Gateway, REST',
    what: 'requests',
    dollars: 3.5,
    per: MILLION,
    source: aws('api-gateway'),
    checked: false,
  },
  s3Put: { service: 'S3', what: 'puts', dollars: 0.005, per: 1_000, source: aws('s3'), checked: true },
  s3Get: { service: 'S3', what: 'gets', dollars: 0.0004, per: 1_000, source: aws('s3'), checked: true },
  kms: { service: 'KMS', what: 'requests', dollars: 0.03, per: 10_000, source: aws('kms'), checked: false },
  kmsKey: {
    service: 'KMS',
    what: 'keys for a month',
    dollars: 1,
    per: 1,
    source: aws('kms'),
    checked: false,
  },
} satisfies Record<string, Price>

export type Priced = keyof typeof PRICES

export const dollarsFor = (priced: Priced, units: number): number =>
  (units * PRICES[priced].dollars) / PRICES[priced].per
