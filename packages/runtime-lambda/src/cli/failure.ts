/** How a command of the operator ends when it does not go well: asked wrongly, or unable to do it. */

/** The command was not asked as it has to be; nothing was read or written. Exit code 2. */
export class Misuse extends Error {
  override readonly name = 'Misuse'
  /** What to say below the message, where that is not the command's usage. */
  readonly advice: string | undefined

  constructor(message: string, advice?: string) {
    super(message)
    this.advice = advice
  }
}

/** It could not be done, or what was found is not as it should be. Exit code 1. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly advice: string | undefined
  /** For programs: the facts, as they go into `--json`. */
  readonly facts: object | undefined

  constructor(message: string, { advice, facts }: { advice?: string | undefined; facts?: object } = {}) {
    super(message)
    this.advice = advice
    this.facts = facts
  }
}
