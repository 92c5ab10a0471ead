#!/usr/bin/env node
/** `everfold`: what an operator asks of a service's tables, bus and queues. Here is how it ends. */
import { Failure, Misuse } from './failure.ts'
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
  if (!(error instanceof Misuse) && !(error instanceof Failure)) throw error
  process.stderr.write(`${failureText(error, args)}\n`)
  process.exitCode = error instanceof Misuse ? 2 : 1
}
