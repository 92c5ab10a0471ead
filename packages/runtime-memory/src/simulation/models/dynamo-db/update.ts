/**
 * The grammar of updates.
 *
 * Source: DynamoDB Developer Guide, "Update expressions" (2026-11).
 */
import { isValue, remembered, type Tokens, takePath, type WrittenPath } from './expression.ts'

export type Term =
  | { readonly _tag: 'Path'; readonly path: WrittenPath }
  | { readonly _tag: 'Value'; readonly placeholder: string }
  | { readonly _tag: 'IfNotExists'; readonly path: WrittenPath; readonly otherwise: Term }
  | { readonly _tag: 'ListAppend'; readonly left: Term; readonly right: Term }
  | { readonly _tag: 'Plus' | 'Minus'; readonly left: Term; readonly right: Term }

export type UpdateAction =
  | { readonly _tag: 'Set'; readonly path: WrittenPath; readonly term: Term }
  | { readonly _tag: 'Remove'; readonly path: WrittenPath }
  | { readonly _tag: 'Add' | 'Delete'; readonly path: WrittenPath; readonly placeholder: string }

const takeActions = (tokens: Tokens): ReadonlyArray<UpdateAction> => {
  const actions: Array<UpdateAction> = []
  const seen = new Set<string>()
  while (tokens.peek() !== undefined) {
    const clause = tokens.next()
    const take = CLAUSES.get(clause.toUpperCase())
    if (take === undefined) throw tokens.wrong(clause)
    if (seen.has(clause.toUpperCase()))
      throw tokens.refused(`The "${clause}" section can only be used once in an update expression;`)
    seen.add(clause.toUpperCase())
    do actions.push(take(tokens))
    while (tokens.takes(','))
  }
  return actions
}

const takeSet = (tokens: Tokens): UpdateAction => {
  const path = takePath(tokens)
  tokens.expect('=')
  return { _tag: 'Set', path, term: takeSum(tokens) }
}

const takeSum = (tokens: Tokens): Term => {
  const left = takeTerm(tokens)
  if (tokens.takes('+')) return { _tag: 'Plus', left, right: takeTerm(tokens) }
  return tokens.takes('-') ? { _tag: 'Minus', left, right: takeTerm(tokens) } : left
}

const takeTerm = (tokens: Tokens): Term => {
  if (isValue(tokens.peek())) return { _tag: 'Value', placeholder: tokens.next() }
  if (tokens.takes('(')) {
    const inner = takeSum(tokens)
    tokens.expect(')')
    return inner
  }
  return tokens.peek(1) === '(' ? takeFunction(tokens) : { _tag: 'Path', path: takePath(tokens) }
}

const takeFunction = (tokens: Tokens): Term => {
  const name = tokens.next()
  tokens.expect('(')
  if (name === 'if_not_exists') {
    const path = takePath(tokens)
    tokens.expect(',')
    const otherwise = takeTerm(tokens)
    tokens.expect(')')
    return { _tag: 'IfNotExists', path, otherwise }
  }
  if (name !== 'list_append') throw tokens.refused(`Invalid function name; function: ${name}`)
  const left = takeTerm(tokens)
  tokens.expect(',')
  const right = takeTerm(tokens)
  tokens.expect(')')
  return { _tag: 'ListAppend', left, right }
}

const takeWithValue =
  (_tag: 'Add' | 'Delete') =>
  (tokens: Tokens): UpdateAction => {
    const path = takePath(tokens)
    const placeholder = tokens.next()
    if (!isValue(placeholder)) throw tokens.wrong(placeholder)
    return { _tag, path, placeholder }
  }

const CLAUSES: ReadonlyMap<string, (tokens: Tokens) => UpdateAction> = new Map([
  ['SET', takeSet],
  ['REMOVE', (tokens: Tokens): UpdateAction => ({ _tag: 'Remove', path: takePath(tokens) })],
  ['ADD', takeWithValue('Add')],
  ['DELETE', takeWithValue('Delete')],
])

export const updateOf = remembered('UpdateExpression', takeActions)
