/**
 * A claim: what a caller's key stands for, where the stream that it was first sent to cannot tell.
 *
 * Stream `claim/{commandId}`. A stream remembers the commands it was sent, so a key that comes again with a body that
 * names another stream would be new there. A claim is on record before the first command of such a key, and a repeat
 * with another payload is refused by it.
 */
import * as t from 'io-ts'
import { aggregate as aggregateOf } from './aggregate.ts'
import { type TypeOf, union, variant } from './codec.ts'
import { accept } from './decider.ts'

const ClaimEvent = union('ClaimEvent', variant('KeyClaimed'))
type ClaimEvent = TypeOf<typeof ClaimEvent>

const ClaimCommand = union('ClaimCommand', variant('ClaimKey'))
type ClaimCommand = TypeOf<typeof ClaimCommand>

export const aggregate = aggregateOf<ClaimCommand, null, ClaimEvent, never>({
  name: 'claim',
  command: ClaimCommand,
  event: ClaimEvent,
  rejection: t.never,
  reducer: 1,
  initial: null,
  evolve: (state) => state,
  decide: () => accept({ _tag: 'KeyClaimed' }),
})
