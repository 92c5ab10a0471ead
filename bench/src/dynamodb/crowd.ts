/** A thousand commands for one stream, and a way to bring them there. */
import type { Answer, Envelope, ExecutePorts, StreamName } from '@everfold/core'
import type { OrderCommand } from '../everfold-order.ts'

export const COMMANDS = 1_000

export type Sent = Envelope<OrderCommand>

export interface Crowd {
  readonly stream: StreamName
  readonly ports: ExecutePorts
  readonly copies: number
  /** Sends all commands by ten writers beside each other; each command is made when its writer comes to it. */
  readonly write: (send: (member: Sent) => Promise<void>) => Promise<void>
}

export type Told = Answer<unknown, unknown>

/** Brings all commands to the stream, and gives back what the senders were told. */
export type Way = (crowd: Crowd) => Promise<ReadonlyArray<Told>>
