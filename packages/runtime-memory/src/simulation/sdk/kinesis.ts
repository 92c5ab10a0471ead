/**
 * Kinesis as a client of the AWS SDK speaks to it: JSON 1.1, where bytes are base64 and times are seconds since 1970.
 *
 * Source: AWS SDK, client-kinesis, whose protocol is AwsJson1_1Protocol unless told (2026-11).
 */
import { kinesisModel } from '../models/kinesis/kinesis.ts'
import { KINESIS_OPERATIONS, type KinesisRequest, type KinesisState } from '../models/kinesis/request.ts'
import type { At, Stepped } from '../models/model.ts'
import { failure, operationOf, success, unknownOperation } from './aws-json.ts'
import { type HttpAnswer, type HttpRequest, jsonOf } from './http.ts'

export const kinesisWire = {
  wire: (state: KinesisState, request: HttpRequest, at: At): Stepped<KinesisState, HttpAnswer> => {
    const asked = requestOf(request)
    if (asked === undefined) return { state, answer: unknownOperation(operationOf(request)) }
    const { state: next, answer } = kinesisModel.step(state, asked, at)
    return {
      state: next,
      answer: answer._tag === 'Output' ? success(answer.output) : failure(answer.error, answer.message),
    }
  },
  offers: (state: KinesisState, request: HttpRequest): ReadonlyArray<string> => {
    const asked = requestOf(request)
    return asked === undefined ? [] : kinesisModel.offers(state, asked)
  },
}

/** What the model is asked; undefined for an operation that it does not have. */
const requestOf = (request: HttpRequest): KinesisRequest | undefined => {
  const operation = operationOf(request)
  return KINESIS_OPERATIONS.has(operation)
    ? ({ operation, input: jsonOf(request) } as unknown as KinesisRequest)
    : undefined
}
