#!/usr/bin/env node
/** `everfold`: what an operator asks of a service's tables, bus and queues. Here is how it ends. */
import { debuglog } from 'node:util'
import { Misuse } from './failure.ts'
import { unexpected } from './fault.ts'
import { failureText, perform } from './perform.ts'

// Whoever reads on has seen enough: `everfold stream … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const args = process.argv.slice(2)
try {
  await perform(args)
} catch (error) {
  const failure = error instanceof Misuse ? error : unexpected(error)
  if (failure !== error) debuglog('everfold')('%o', error)
  process.stderr.write(`${failureText(failure, args)}\n`)
  process.exitCode = failure instanceof Misuse ? 2 : 1
}
