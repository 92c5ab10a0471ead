/**
 * The operators of event patterns: what one value of a field has to be.
 *
 * Source: github.com/aws/event-ruler, README and JsonRuleCompiler (2026-07); EventBridge User Guide, "Comparison operators
 * for use in event patterns" (2026-11).
 */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

/** The value of a field that has no fields of its own. */
export type Leaf = string | number | boolean | null

/** What a field may be: a value that passes, or no value at all. */
export type FieldTest =
  | { readonly _tag: 'Value'; readonly passes: (value: Leaf) => boolean }
  | { readonly _tag: 'Absent' }

export class InvalidEventPattern extends Error {
  override readonly name = 'InvalidEventPatternException'
}

/** One element of the array that a pattern has for a field. */
export const fieldTestOf = (element: unknown): FieldTest => {
  if (typeof element === 'string')
    return passing(isIP(element) === 0 ? equals(element) : sameAddress(element))
  if (isLeaf(element)) return passing(equals(element))
  const [operator, operand] = onlyKey(element, 'match expression')
  if (operator === 'exists') return existence(operand)
  const make = OPERATORS.get(operator)
  if (make === undefined) throw new InvalidEventPattern(`Unrecognized match type ${operator}`)
  return passing(make(operand))
}

const isLeaf = (value: unknown): value is Leaf =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

type Passes = (value: Leaf) => boolean

const passing = (passes: Passes): FieldTest => ({ _tag: 'Value', passes })

const existence = (operand: unknown): FieldTest => {
  if (typeof operand !== 'boolean')
    throw new InvalidEventPattern('exists match pattern must be either true or false.')
  return operand ? passing(() => true) : { _tag: 'Absent' }
}

const onlyKey = (element: unknown, what: string): readonly [string, unknown] => {
  const entries =
    typeof element === 'object' && element !== null && !Array.isArray(element) ? Object.entries(element) : []
  const [first] = entries
  if (first === undefined || entries.length > 1)
    throw new InvalidEventPattern(`Only one key allowed in ${what}`)
  return first
}

const equals =
  (expected: Leaf): Passes =>
  (value) =>
    value === expected

const ofText =
  (passes: (text: string) => boolean): Passes =>
  (value) =>
    typeof value === 'string' && passes(value)

const textIn = (operand: unknown, operator: string): string => {
  if (typeof operand !== 'string') throw new InvalidEventPattern(`${operator} match pattern must be a string`)
  return operand
}

const ignoringCase = (text: string): string => text.toLowerCase()

/** `{"prefix": "a"}`, or `{"prefix": {"equals-ignore-case": "A"}}`. */
const affix =
  (operator: string, holds: (text: string, part: string) => boolean) =>
  (operand: unknown): Passes => {
    if (typeof operand === 'string') return ofText((text) => holds(text, operand))
    const [inner, part] = onlyKey(operand, 'match expression')
    if (inner !== 'equals-ignore-case')
      throw new InvalidEventPattern(`Unsupported ${operator} pattern: ${inner}`)
    const folded = ignoringCase(textIn(part, inner))
    return ofText((text) => holds(ignoringCase(text), folded))
  }

const startsWith = (text: string, part: string): boolean => text.startsWith(part)
const endsWith = (text: string, part: string): boolean => text.endsWith(part)

const equalsIgnoringCase = (operand: unknown): Passes => {
  const folded = ignoringCase(textIn(operand, 'equals-ignore-case'))
  return ofText((text) => ignoringCase(text) === folded)
}

/** `*` stands for any characters; `\*` and `\\` for themselves. */
const wildcard = (operand: unknown): Passes => {
  const pattern = textIn(operand, 'wildcard')
  let source = ''
  for (const [part] of pattern.matchAll(/\\[^]?|\*+|[^]/gu)) {
    if (part === '*') source += '[^]*'
    else if (part.startsWith('*'))
      throw new InvalidEventPattern('Consecutive wildcard characters are not allowed')
    else if (part === '\\*' || part === '\\\\') source += part
    else if (part.startsWith('\\')) throw new InvalidEventPattern('Invalid escape character')
    else source += part.replace(/[$^.+?()[\]{}|]/, '\\$&')
  }
  const whole = new RegExp(`^${source}$`, 'u')
  return ofText((text) => whole.test(text))
}

const cidr = (operand: unknown): Passes => {
  const [address = '', bits = '', ...more] = textIn(operand, 'cidr').split('/')
  const longest = isIPv4(address) ? 32 : 128
  if (isIP(address) === 0 || more.length > 0 || !/^\d+$/.test(bits) || Number(bits) > longest)
    throw new InvalidEventPattern(`Malformed CIDR, one '/' required and valid: ${address}/${bits}`)
  const block = new BlockList()
  block.addSubnet(address, Number(bits), familyOf(address))
  return inBlock(block)
}

/** An address may be written in several ways. */
const sameAddress = (address: string): Passes => {
  const block = new BlockList()
  block.addAddress(address, familyOf(address))
  return inBlock(block)
}

const inBlock = (block: BlockList): Passes =>
  ofText((text) => isIP(text) !== 0 && block.check(text, familyOf(text)))

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4')

/** `["=", 1]`, `[">", 0]`, `["<=", 5]`, or a range whose lower end comes first: `[">", 0, "<=", 5]`. */
const numeric = (operand: unknown): Passes => {
  if (!Array.isArray(operand) || operand.length === 0)
    throw new InvalidEventPattern('Value of numeric must be an array.')
  const [operator, bound, upperOperator, upperBound] = operand as ReadonlyArray<unknown>
  const one = comparison(operator, bound)
  if (operand.length === 2) return one
  const isRange =
    operand.length === 4 &&
    (operator === '>' || operator === '>=') &&
    (upperOperator === '<' || upperOperator === '<=')
  if (!isRange) throw new InvalidEventPattern('Too many elements in numeric expression')
  const other = comparison(upperOperator, upperBound)
  if (Number(bound) >= Number(upperBound)) throw new InvalidEventPattern('Bottom must be less than top')
  return (value) => one(value) && other(value)
}

const COMPARISONS: ReadonlyMap<unknown, (value: number, bound: number) => boolean> = new Map([
  ['=', (value, bound) => value === bound],
  ['<', (value, bound) => value < bound],
  ['<=', (value, bound) => value <= bound],
  ['>', (value, bound) => value > bound],
  ['>=', (value, bound) => value >= bound],
])

const comparison = (operator: unknown, bound: unknown): Passes => {
  const compares = COMPARISONS.get(operator)
  if (compares === undefined)
    throw new InvalidEventPattern(`Unrecognized numeric range operator: ${String(operator)}`)
  if (typeof bound !== 'number') throw new InvalidEventPattern(`Value of ${String(operator)} must be numeric`)
  return (value) => typeof value === 'number' && compares(value, bound)
}

/** Any value but these; there has to be one. */
const anythingBut = (operand: unknown): Passes => {
  if (typeof operand !== 'object' || operand === null || Array.isArray(operand)) {
    const excluded: ReadonlyArray<unknown> = Array.isArray(operand) ? operand : [operand]
    const kinds = new Set(excluded.map((one) => typeof one))
    if (kinds.size !== 1 || !(kinds.has('string') || kinds.has('number')))
      throw new InvalidEventPattern(
        'Inside anything but list, either all values are number or string, mixed type is not supported',
      )
    return (value) => !excluded.includes(value)
  }
  const [operator, inner] = onlyKey(operand, 'match expression')
  const make = EXCLUDABLE.get(operator)
  if (make === undefined) throw new InvalidEventPattern(`Unsupported anything-but pattern: ${operator}`)
  const parts: ReadonlyArray<unknown> = Array.isArray(inner) ? inner : [inner]
  const excluded = parts.map((part) => make(excludedPart(operator, part)))
  return (value) => !excluded.some((passes) => passes(value))
}

const excludedPart = (operator: string, part: unknown): string => {
  const text = textIn(part, operator)
  if (text === '' && operator.endsWith('fix')) throw new InvalidEventPattern('Null prefix/suffix not allowed')
  return text
}

const EXCLUDABLE: ReadonlyMap<string, (operand: unknown) => Passes> = new Map([
  ['prefix', affix('prefix', startsWith)],
  ['suffix', affix('suffix', endsWith)],
  ['equals-ignore-case', equalsIgnoringCase],
  ['wildcard', wildcard],
])

const exactly = (operand: unknown): Passes => equals(textIn(operand, 'exact'))

const OPERATORS: ReadonlyMap<string, (operand: unknown) => Passes> = new Map([
  ...EXCLUDABLE,
  ['exactly', exactly],
  ['anything-but', anythingBut],
  ['numeric', numeric],
  ['cidr', cidr],
])

/** What an alternative of `$or` may not be named, so that it is not taken for an operator. */
export const RESERVED: ReadonlySet<string> = new Set([
  ...OPERATORS.keys(),
  'exists',
  '=',
  '<',
  '<=',
  '>',
  '>=',
  'regex',
  'not-wildcard',
  'not-equals-ignore-case',
  'date-after',
  'date-on-or-after',
  'date-before',
  'date-on-or-before',
  'in-date-range',
  'ip-address-in-range',
  'ip-address-not-in-range',
])
