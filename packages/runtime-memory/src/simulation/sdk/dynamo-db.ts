/**
 * DynamoDB as a client of the AWS SDK speaks to it, over the model: JSON 1.0.
 *
 * Source: Smithy, "AWS JSON 1.0 protocol" (2026-11).
 */
import {
  type DynamoDb,
  type DynamoDbAnswer,
  type DynamoDbRequest,
  dynamoDb,
  initial,
} from '../models/dynamo-db/index.ts'
import type { At, Model, Stepped } from '../models/model.ts'
import { answerOf, type HttpAnswer, type HttpRequest, headerOf, jsonOf } from './http.ts'

/** A request, and how many writes the state had when it was sent, where that is known: see `offers`. */
export interface DynamoDbHttpRequest extends HttpRequest {
  readonly sentAfter?: number
}

export interface DynamoDbWire {
  /**
   * A consistent read sees half of a transaction only while that is under way: it is offered where `sentAfter` of the
   * request, the state's `writes` at its sending, lies before the transaction.
   */
  offers(this: void, state: DynamoDb, request: DynamoDbHttpRequest): ReadonlyArray<string>
  step(this: void, state: DynamoDb, request: DynamoDbHttpRequest, at: At): Stepped<DynamoDb, HttpAnswer>
}

const requestOf = (request: DynamoDbHttpRequest): DynamoDbRequest => ({
  operation: headerOf(request, 'x-amz-target').split('.').at(-1) ?? '',
  input: jsonOf(request),
  ...(request.sentAfter === undefined ? {} : { sentAfter: request.sentAfter }),
})

const HEADERS = { 'content-type': 'application/x-amz-json-1.0' }

const written = (answer: DynamoDbAnswer): HttpAnswer => {
  if (answer._tag === 'Answered') return answerOf(200, answer.output, HEADERS)
  const { error, message, fields } = answer
  const shape =
    error === 'ValidationException' ? 'com.amazon.coral.validate' : 'com.amazonaws.dynamodb.v20120810'
  // A canceled transaction has its message under a capital letter.
  const messageName = fields['CancellationReasons'] === undefined ? 'message' : 'Message'
  return answerOf(400, { __type: `${shape}#${error}`, [messageName]: message, ...fields }, HEADERS)
}

/** A model of DynamoDB, or of its streams, behind the SDK's wire. */
export const wireOver = (model: Model<DynamoDb, DynamoDbRequest, DynamoDbAnswer>): DynamoDbWire => ({
  offers: (state, request) => model.offers(state, requestOf(request)),
  step: (state, request, at) => {
    const { state: after, answer } = model.step(state, requestOf(request), at)
    return { state: after, answer: written(answer) }
  },
})

export const dynamoDbWire = { initial, ...wireOver(dynamoDb) }
