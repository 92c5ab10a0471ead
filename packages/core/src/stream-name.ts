/**
 * A stream is the history of one aggregate instance: `tenant:category/id`, or `category/id` where there is no tenant.
 */
import { type Codec, type Scalar, text } from './codec.ts'

/** In UTF-16 units, of at most 3 bytes each: with what a store sets before it, a name fits a key of 2048 bytes. */
const MAX_LENGTH = 640

export type StreamName = Scalar<string, 'StreamName'>
export const StreamName: Codec<StreamName> = text('StreamName', {
  maxLength: MAX_LENGTH,
  pattern: /^([a-z0-9-]{1,64}:)?[a-z0-9-]{1,64}\/.+$/s,
})

export interface StreamParts {
  readonly tenant?: string
  readonly category: string
  readonly id: string
}

/** Joined, because that makes one flat text at once: a name is looked up in maps all its life. */
export const streamName = (category: string, id: string, tenant?: string): StreamName =>
  [tenant === undefined ? category : `${tenant}:${category}`, id].join('/') as StreamName

export const streamParts = (stream: StreamName): StreamParts => {
  const slash = stream.indexOf('/')
  const id = stream.slice(slash + 1)
  const place = stream.slice(0, slash)
  const colon = place.indexOf(':')
  return colon < 0
    ? { category: place, id }
    : { tenant: place.slice(0, colon), category: place.slice(colon + 1), id }
}
