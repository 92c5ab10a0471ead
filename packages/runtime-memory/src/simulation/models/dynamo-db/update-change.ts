/**
 * What an update makes of an item: every term reads the item as it was before any of the actions.
 */
import { type AttributeValue, contentOf, type Item, typeOf } from './attribute.ts'
import { addNumbers, subtractNumbers } from './decimal.ts'
import { demandDistinct, type Path, valueAt, withoutValue, withValue } from './document-path.ts'
import type { Bindings } from './expression.ts'
import { invalid } from './refusal.ts'
import type { Term, UpdateAction } from './update.ts'

export interface Update {
  /** The places that it touches. */
  readonly paths: ReadonlyArray<Path>
  readonly change: (item: Item) => Item
}

/** One change of one place, with what is put there; undefined takes away what is there. */
interface Effect {
  readonly path: Path
  readonly value: AttributeValue | undefined
}

type Action = (item: Item) => Effect | undefined

export const boundUpdate = (actions: ReadonlyArray<UpdateAction>, bindings: Bindings): Update => {
  const paths = actions.map(({ path }) => bindings.path(path))
  demandDistinct('UpdateExpression', paths)
  const bound = actions.map((action, at) => boundAction(action, paths[at] ?? [], bindings))
  const change = (item: Item) => {
    const effects = bound.flatMap((action) => action(item) ?? [])
    const sets = effects.filter(({ value }) => value !== undefined).toSorted(byPlace)
    const removals = effects
      .filter(({ value }) => value === undefined)
      .toSorted((one, other) => byPlace(other, one))
    const set = sets.reduce(
      (changed, { path, value }) => (value ? withValue(changed, path, value) : changed),
      item,
    )
    return removals.reduce((changed, { path }) => withoutValue(changed, path), set)
  }
  return { paths, change }
}

/** Places in one list ascend, so that what is set beyond its end keeps that order. */
const byPlace = ({ path: one }: Effect, { path: other }: Effect): number => {
  const at = one.findIndex((step, depth) => step !== other[depth])
  const [left, right] = [one[at], other[at]]
  return typeof left === 'number' && typeof right === 'number' ? left - right : 0
}

const boundAction = (action: UpdateAction, path: Path, bindings: Bindings): Action => {
  switch (action._tag) {
    case 'Set': {
      const term = boundTerm(action.term, bindings)
      return (item) => ({ path, value: term(item) })
    }
    case 'Remove':
      return () => ({ path, value: undefined })
    case 'Add':
      return adding(path, bindings.value(action.placeholder))
    case 'Delete':
      return deleting(path, bindings.value(action.placeholder))
  }
}

const boundTerm = (term: Term, bindings: Bindings): ((item: Item) => AttributeValue) => {
  switch (term._tag) {
    case 'Value': {
      const value = bindings.value(term.placeholder)
      return () => value
    }
    case 'Path': {
      const path = bindings.path(term.path)
      return (item) => {
        const value = valueAt(item, path)
        if (value === undefined)
          throw invalid('The provided expression refers to an attribute that does not exist in the item')
        return value
      }
    }
    case 'IfNotExists': {
      const path = bindings.path(term.path)
      const otherwise = boundTerm(term.otherwise, bindings)
      return (item) => valueAt(item, path) ?? otherwise(item)
    }
    case 'ListAppend': {
      const [left, right] = [operand(term.left, bindings, 'L'), operand(term.right, bindings, 'L')]
      return (item) => ({ L: [...listOf(left(item)), ...listOf(right(item))] })
    }
    case 'Plus':
    case 'Minus': {
      const [left, right] = [operand(term.left, bindings, 'N'), operand(term.right, bindings, 'N')]
      const calculate = term._tag === 'Plus' ? addNumbers : subtractNumbers
      return (item) => ({ N: calculate(numberOf(left(item)), numberOf(right(item))) })
    }
  }
}

/** A value of the request that has the wrong type is refused whatever the item is. */
const operand = (term: Term, bindings: Bindings, type: 'L' | 'N'): ((item: Item) => AttributeValue) => {
  if (term._tag === 'Value' && typeOf(bindings.value(term.placeholder)) !== type)
    throw invalid('Incorrect operand type for operator or function')
  return boundTerm(term, bindings)
}

const wrongOperand = (): Error => invalid('An operand in the update expression has an incorrect data type')

const listOf = (value: AttributeValue): ReadonlyArray<AttributeValue> => {
  if ('L' in value) return value.L
  throw wrongOperand()
}

const numberOf = (value: AttributeValue): string => {
  if ('N' in value) return value.N
  throw wrongOperand()
}

const SETS: ReadonlySet<string> = new Set(['SS', 'NS', 'BS'])

const membersOf = (value: AttributeValue): ReadonlyArray<string> => contentOf(value) as ReadonlyArray<string>

const setOf = (type: string, members: ReadonlyArray<string>): AttributeValue =>
  ({ [type]: members }) as unknown as AttributeValue

const adding = (path: Path, value: AttributeValue): Action => {
  const type = typeOf(value)
  if (type !== 'N' && !SETS.has(type))
    throw invalid(`Incorrect operand type for operator or function; operator: ADD, operand type: ${type}`)
  return (item) => {
    const before = valueAt(item, path)
    if (before === undefined) return { path, value }
    if (typeOf(before) !== type) throw wrongOperand()
    if ('N' in before) return { path, value: { N: addNumbers(before.N, numberOf(value)) } }
    return { path, value: setOf(type, [...new Set([...membersOf(before), ...membersOf(value)])]) }
  }
}

const deleting = (path: Path, value: AttributeValue): Action => {
  const type = typeOf(value)
  if (!SETS.has(type))
    throw invalid(`Incorrect operand type for operator or function; operator: DELETE, operand type: ${type}`)
  return (item) => {
    const before = valueAt(item, path)
    if (before === undefined) return undefined
    if (typeOf(before) !== type) throw wrongOperand()
    const left = membersOf(before).filter((member) => !membersOf(value).includes(member))
    return { path, value: left.length === 0 ? undefined : setOf(type, left) }
  }
}
