export * from './outbox-relay.ts'
export { PublishedEvent, publishedEvent, publishedEvents, typeOf } from './published-event.ts'
export { type RelayOptions, relay } from './relay.ts'
