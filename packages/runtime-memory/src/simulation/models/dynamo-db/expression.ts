/**
 * The words of an expression, and what its placeholders stand for.
 *
 * Source: DynamoDB Developer Guide, "Using expressions in DynamoDB" (2026-11).
 */
import { DYNAMODB } from '../../limits.ts'
import type { AttributeValue } from './attribute.ts'
import { normalValue } from './attribute-check.ts'
import { invalid } from './refusal.ts'
import { isReserved } from './reserved-words.ts'

/** A path as it is written: names, placeholders of names (`#n`), and places in lists. */
export type WrittenPath = ReadonlyArray<string | number>

const TOKEN =
  /\s*(?:([A-Za-z_][A-Za-z0-9_]*|#[A-Za-z0-9_]+|:[A-Za-z0-9_]+|\d+|<>|<=|>=|[=<>(),.[\]+-])|(\S))/gy

/** The tokens of one expression, taken from left to right. */
export class Tokens {
  private readonly tokens: ReadonlyArray<string>
  private readonly what: string
  private at = 0

  constructor(what: string, text: string) {
    this.what = what
    this.tokens = [...text.matchAll(TOKEN)].map(([, token, other]) => {
      if (token === undefined) throw this.wrong(other ?? '')
      return token
    })
    if (this.tokens.length === 0) throw invalid(`Invalid ${what}: The expression can not be empty;`)
  }

  peek(ahead = 0): string | undefined {
    return this.tokens[this.at + ahead]
  }

  next(): string {
    const token = this.tokens[this.at]
    if (token === undefined) throw this.wrong('<EOF>')
    this.at += 1
    return token
  }

  /** Takes the token if it is next; keywords are compared without regard to their case. */
  takes(token: string): boolean {
    if (this.peek()?.toUpperCase() !== token) return false
    this.at += 1
    return true
  }

  expect(token: string): void {
    if (!this.takes(token)) throw this.wrong(this.peek() ?? '<EOF>')
  }

  end(): void {
    if (this.peek() !== undefined) throw this.wrong(this.peek() ?? '')
  }

  wrong(token: string): Error {
    return invalid(`Invalid ${this.what}: Syntax error; token: "${token}"`)
  }

  refused(why: string): Error {
    return invalid(`Invalid ${this.what}: ${why}`)
  }
}

export const isName = (token: string | undefined): boolean => token !== undefined && /^[A-Za-z_#]/.test(token)

export const isValue = (token: string | undefined): boolean => token !== undefined && token.startsWith(':')

export const takePath = (tokens: Tokens): WrittenPath => {
  const path: Array<string | number> = [takeName(tokens)]
  for (;;) {
    if (tokens.takes('.')) path.push(takeName(tokens))
    else if (tokens.takes('[')) {
      const place = tokens.next()
      if (!/^\d+$/.test(place)) throw tokens.wrong(place)
      path.push(Number(place))
      tokens.expect(']')
    } else return path
  }
}

const takeName = (tokens: Tokens): string => {
  const name = tokens.next()
  if (!isName(name)) throw tokens.wrong(name)
  if (isReserved(name))
    throw tokens.refused(`Attribute name is a reserved keyword; reserved keyword: ${name}`)
  return name
}

/** What a request gives for its expressions. */
export interface Placeholders {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>>
}

/** What the placeholders of one request stand for; each has to be used, and none may be missing. */
export class Bindings {
  private readonly names: ReadonlyMap<string, string>
  private readonly values: ReadonlyMap<string, AttributeValue>
  private readonly used = new Set<string>()

  constructor(given: Placeholders) {
    this.names = new Map(Object.entries(given.ExpressionAttributeNames ?? {}))
    this.values = new Map(
      Object.entries(given.ExpressionAttributeValues ?? {}).map(([name, value]) => [
        name,
        normalValue(value),
      ]),
    )
    for (const name of this.names.keys())
      if (!/^#[A-Za-z0-9_]+$/.test(name))
        throw invalid(`ExpressionAttributeNames contains invalid key: Syntax error; key: "${name}"`)
    for (const name of this.values.keys())
      if (!/^:[A-Za-z0-9_]+$/.test(name))
        throw invalid(`ExpressionAttributeValues contains invalid key: Syntax error; key: "${name}"`)
  }

  path(written: WrittenPath): WrittenPath {
    return written.map((step) => (typeof step === 'string' && step.startsWith('#') ? this.name(step) : step))
  }

  value(placeholder: string): AttributeValue {
    const value = this.values.get(placeholder)
    if (value === undefined)
      throw invalid(
        `An expression attribute value used in expression is not defined; attribute value: ${placeholder}`,
      )
    this.used.add(placeholder)
    return value
  }

  /** Refuses what no expression has used. */
  end(): void {
    const unused = [...this.names.keys(), ...this.values.keys()].filter((name) => !this.used.has(name))
    if (unused.length > 0) throw invalid(`Value provided in expressions unused: keys: {${unused.join(', ')}}`)
  }

  private name(placeholder: string): string {
    const name = this.names.get(placeholder)
    if (name === undefined)
      throw invalid(
        `An expression attribute name used in the document path is not defined; attribute name: ${placeholder}`,
      )
    this.used.add(placeholder)
    return name
  }
}

/** Parses by memory: the text of an expression seldom changes, and what was parsed never does. */
export const remembered = <A>(what: string, parse: (tokens: Tokens) => A): ((text: string) => A) => {
  const known = new Map<string, A>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    if (Buffer.byteLength(text) > DYNAMODB.expressionBytes)
      throw invalid(`Invalid ${what}: Expression size has exceeded the maximum allowed size;`)
    const tokens = new Tokens(what, text)
    const parsed = parse(tokens)
    tokens.end()
    if (known.size >= REMEMBERED) known.clear()
    known.set(text, parsed)
    return parsed
  }
}

const REMEMBERED = 1000
