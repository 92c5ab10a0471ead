/**
 * What DynamoDB answers instead of doing what it was asked: the name of its exception, and what goes with it.
 *
 * It is thrown, because an expression is refused from deep inside of it, and caught in one place, by the model.
 */
export class Refusal extends Error {
  override readonly name: string
  /** What the exception carries beside its message: `Item`, `CancellationReasons`. */
  readonly fields: Readonly<Record<string, unknown>>

  constructor(name: string, message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = name
    this.fields = fields
  }
}

export const invalid = (message: string): Refusal => new Refusal('ValidationException', message)
