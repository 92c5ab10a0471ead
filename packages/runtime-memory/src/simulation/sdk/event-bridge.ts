/**
 * EventBridge as a client of the AWS SDK speaks to it: JSON 1.1, where times are seconds since 1970. PutEvents and
 * StartReplay; buses, rules and archives are set up with the model.
 *
 * Source: AWS SDK, client-eventbridge, whose protocol is AwsJson1_1Protocol unless told (2026-11).
 */
import type { EventBridgeState } from '../models/event-bridge/bus.ts'
import { type EventBridgeRequest, eventBridgeModel } from '../models/event-bridge/event-bridge.ts'
import type { PutEventsEntry } from '../models/event-bridge/put-events.ts'
import type { At, Stepped } from '../models/model.ts'
import { failure, operationOf, success, unknownOperation } from './aws-json.ts'
import { type HttpAnswer, type HttpRequest, jsonOf } from './http.ts'

export const eventBridgeWire = {
  wire: (state: EventBridgeState, request: HttpRequest, at: At): Stepped<EventBridgeState, HttpAnswer> => {
    const asked = requestOf(request)
    if (asked === undefined) return { state, answer: unknownOperation(operationOf(request)) }
    const { state: next, answer } = eventBridgeModel.step(state, asked, at)
    if (answer._tag === 'Refused') return { state: next, answer: failure(answer.error, answer.message) }
    if (answer._tag !== 'Output') throw new Error(`a call over the wire is answered with ${answer._tag}`)
    const output = asked._tag === 'Replay' ? started(state, asked.name, at.nowMs) : answer.output
    return { state: next, answer: success(output) }
  },
  offers: (state: EventBridgeState, request: HttpRequest): ReadonlyArray<string> => {
    const asked = requestOf(request)
    return asked === undefined ? [] : eventBridgeModel.offers(state, asked)
  },
}

/** What the model is asked; undefined for an operation that it does not have. */
const requestOf = (request: HttpRequest): EventBridgeRequest | undefined => {
  const input = jsonOf(request)
  switch (operationOf(request)) {
    case 'PutEvents':
      return { _tag: 'PutEvents', entries: (input['Entries'] ?? []) as ReadonlyArray<PutEventsEntry> }
    case 'StartReplay': {
      const { Arn: bus } = (input['Destination'] ?? {}) as { readonly Arn?: string }
      return {
        _tag: 'Replay',
        name: String(input['ReplayName']),
        archive: nameIn(String(input['EventSourceArn'])),
        fromMs: Number(input['EventStartTime']) * 1000,
        toMs: Number(input['EventEndTime']) * 1000,
        ...(bus === undefined ? {} : { bus: nameIn(bus) }),
      }
    }
    default:
      return undefined
  }
}

/** What an ARN ends with. */
const nameIn = (arn: string): string => arn.split('/').at(-1) ?? ''

const started = ({ account, region }: EventBridgeState, name: string, nowMs: number) => ({
  ReplayArn: `arn:aws:events:${region}:${account}:replay/${name}`,
  State: 'STARTING',
  ReplayStartTime: nowMs / 1000,
})
