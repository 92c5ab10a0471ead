/** An event that Lambda was given for another function than this one: thrown, because no record of it can be reported. */
import type { InvalidInput } from '@everfold/core'

export class MalformedEvent extends Error {
  override readonly name = 'MalformedEvent'
  readonly errors: InvalidInput['errors']

  constructor(expected: string, { errors }: InvalidInput) {
    super(`not ${expected}: ${errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')}`)
    this.errors = errors
  }
}
