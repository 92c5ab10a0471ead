/** API Gateway in front of a function, its events, and a client that tries again. */
export {
  type ApiGateway,
  type ApiGatewaySettings,
  type ApiGatewayState,
  type ApiGatewayStep,
  apiGateway,
} from './api-gateway.ts'
export { afterAttempt, type ClientDecision, type ClientPolicy, usualClient } from './client.ts'
export { type EventContext, type HttpRequest, type HttpResponse, httpApiEvent } from './event.ts'
