/** A stream as an argument. */
import { StreamName } from '@everfold/core'
import { shown } from './arguments.ts'
import { Misuse } from './failure.ts'

export const streamOf = (argument: string): StreamName => {
  if (StreamName.is(argument)) return argument
  throw new Misuse(`${shown(argument)} is no stream: it should be category/id, or tenant:category/id.`)
}
