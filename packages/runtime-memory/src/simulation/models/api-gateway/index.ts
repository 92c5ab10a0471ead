/** API Gateway in front of a function, its events, and a client that tries again. */
export {
  type ApiGatewaySettings,
  type ApiGatewayStep,
  apiGateway,
} from './api-gateway.ts'
export { afterAttempt, type ClientPolicy, usualClient } from './client.ts'
export { type HttpRequest, type HttpResponse, httpApiEvent } from './event.ts'
