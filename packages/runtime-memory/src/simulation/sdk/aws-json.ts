/**
 * The protocol AWS JSON 1.1, from the service's end: the operation is named in a header, bodies are JSON, and an error is
 * told by its name.
 *
 * Source: Smithy, "AWS JSON 1.1 protocol" (2026-11).
 */
import { answerOf, type HttpAnswer, type HttpRequest, headerOf } from './http.ts'

/** `PutEvents`. */
export const operationOf = (request: HttpRequest): string =>
  headerOf(request, 'x-amz-target').split('.').at(-1) ?? ''

export const success = (output: unknown): HttpAnswer => answerOf(200, output, HEADERS)

/** An exception of the service, by its name. */
export const failure = (error: string, message: string): HttpAnswer =>
  answerOf(400, { __type: error, message }, HEADERS)

export const unknownOperation = (operation: string): HttpAnswer =>
  failure('UnknownOperationException', `the simulated service has no operation ${operation}`)

const HEADERS = { 'content-type': 'application/x-amz-json-1.1' }
