/** The relay: puts what is in the log on the bus, and sends what commits ask for to queues and timers. */
export * from './outbox-relay.ts'
export { PublishedEvent, publishedEvent, publishedEvents, typeOf } from './published-event.ts'
export { type RelayOptions, relay } from './relay.ts'
