/**
 * The grammar of conditions: of writes, of filters and of keys.
 *
 * Source: DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions" (2026-11).
 */
import { isName, isValue, remembered, type Tokens, takePath, type WrittenPath } from './expression.ts'

export type Operand =
  | { readonly _tag: 'Path'; readonly path: WrittenPath }
  | { readonly _tag: 'Value'; readonly placeholder: string }
  | { readonly _tag: 'Size'; readonly of: Operand }

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>='

export type Test = 'attribute_exists' | 'attribute_not_exists' | 'attribute_type' | 'begins_with' | 'contains'

export type Condition =
  | { readonly _tag: 'And' | 'Or'; readonly left: Condition; readonly right: Condition }
  | { readonly _tag: 'Not'; readonly condition: Condition }
  | { readonly _tag: 'Compare'; readonly by: Comparator; readonly left: Operand; readonly right: Operand }
  | { readonly _tag: 'Between'; readonly operand: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly _tag: 'In'; readonly operand: Operand; readonly among: ReadonlyArray<Operand> }
  | { readonly _tag: 'Test'; readonly test: Test; readonly operands: ReadonlyArray<Operand> }

const takeOr = (tokens: Tokens): Condition => {
  let left = takeAnd(tokens)
  while (tokens.takes('OR')) left = { _tag: 'Or', left, right: takeAnd(tokens) }
  return left
}

const takeAnd = (tokens: Tokens): Condition => {
  let left = takeNot(tokens)
  while (tokens.takes('AND')) left = { _tag: 'And', left, right: takeNot(tokens) }
  return left
}

const takeNot = (tokens: Tokens): Condition =>
  tokens.takes('NOT') ? { _tag: 'Not', condition: takeNot(tokens) } : takeSingle(tokens)

const takeSingle = (tokens: Tokens): Condition => {
  if (tokens.takes('(')) {
    const inner = takeOr(tokens)
    tokens.expect(')')
    return inner
  }
  return tokens.peek(1) === '(' && tokens.peek() !== 'size' ? takeTest(tokens) : takeComparison(tokens)
}

/** How many operands each function takes. */
const TESTS: ReadonlyMap<string, number> = new Map<Test, number>([
  ['attribute_exists', 1],
  ['attribute_not_exists', 1],
  ['attribute_type', 2],
  ['begins_with', 2],
  ['contains', 2],
])

const takeTest = (tokens: Tokens): Condition => {
  const test = tokens.next()
  const takes = TESTS.get(test)
  if (takes === undefined) throw tokens.refused(`Invalid function name; function: ${test}`)
  tokens.expect('(')
  const operands = takeOperands(tokens)
  if (operands.length !== takes)
    throw tokens.refused(
      `Incorrect number of operands for operator or function; operator or function: ${test}`,
    )
  const [first] = operands
  if (test.startsWith('attribute_') && first?._tag !== 'Path')
    throw tokens.refused(`Operator or function requires a document path; operator or function: ${test}`)
  return { _tag: 'Test', test: test as Test, operands }
}

const takeOperands = (tokens: Tokens): ReadonlyArray<Operand> => {
  const operands = [takeOperand(tokens)]
  while (tokens.takes(',')) operands.push(takeOperand(tokens))
  tokens.expect(')')
  return operands
}

const takeOperand = (tokens: Tokens): Operand => {
  if (isValue(tokens.peek())) return { _tag: 'Value', placeholder: tokens.next() }
  if (tokens.peek() !== 'size' || tokens.peek(1) !== '(') {
    if (!isName(tokens.peek())) throw tokens.wrong(tokens.peek() ?? '<EOF>')
    return { _tag: 'Path', path: takePath(tokens) }
  }
  tokens.next()
  tokens.expect('(')
  const of = takeOperand(tokens)
  tokens.expect(')')
  return { _tag: 'Size', of }
}

const COMPARATORS: ReadonlySet<string> = new Set<Comparator>(['=', '<>', '<', '<=', '>', '>='])

const takeComparison = (tokens: Tokens): Condition => {
  const operand = takeOperand(tokens)
  if (tokens.takes('BETWEEN')) {
    const low = takeOperand(tokens)
    tokens.expect('AND')
    return { _tag: 'Between', operand, low, high: takeOperand(tokens) }
  }
  if (tokens.takes('IN')) {
    tokens.expect('(')
    return { _tag: 'In', operand, among: takeOperands(tokens) }
  }
  const by = tokens.next()
  if (!COMPARATORS.has(by)) throw tokens.wrong(by)
  return { _tag: 'Compare', by: by as Comparator, left: operand, right: takeOperand(tokens) }
}

/** The paths that a condition is about. */
export const pathsIn = (condition: Condition): ReadonlyArray<WrittenPath> => {
  switch (condition._tag) {
    case 'And':
    case 'Or':
      return [...pathsIn(condition.left), ...pathsIn(condition.right)]
    case 'Not':
      return pathsIn(condition.condition)
    case 'Compare':
      return [condition.left, condition.right].flatMap(pathOf)
    case 'Between':
      return [condition.operand, condition.low, condition.high].flatMap(pathOf)
    case 'In':
      return [condition.operand, ...condition.among].flatMap(pathOf)
    case 'Test':
      return condition.operands.flatMap(pathOf)
  }
}

const pathOf = (operand: Operand): ReadonlyArray<WrittenPath> => {
  if (operand._tag === 'Size') return pathOf(operand.of)
  return operand._tag === 'Path' ? [operand.path] : []
}

export const conditionOf = remembered('ConditionExpression', takeOr)
export const filterOf = remembered('FilterExpression', takeOr)
export const keyConditionOf = remembered('KeyConditionExpression', takeOr)
