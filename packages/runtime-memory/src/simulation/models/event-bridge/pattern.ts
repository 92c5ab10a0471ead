/**
 * Event patterns: which events a rule is about.
 *
 * All fields of a pattern have to match, and of a field any of its values. Where an event has an array, any of its
 * elements may be the one; two fields that lie in elements of one array have to be in the same element.
 * A pattern is made into alternatives without `$or`, each a list of paths, as the reference matcher does it; so a name with
 * a dot means the same as a field within a field.
 *
 * Source: github.com/aws/event-ruler: README, JsonRuleCompiler, Event and ACFinder (2026-07).
 */
import { type FieldTest, fieldTestOf, InvalidEventPattern, type Leaf, RESERVED } from './pattern-value.ts'

/** What each path has to be; one alternative has to hold. */
export type EventPattern = ReadonlyArray<ReadonlyMap<string, ReadonlyArray<FieldTest>>>

/** Throws `InvalidEventPattern` for what PutRule would refuse. */
export const eventPattern = (pattern: unknown): EventPattern => {
  const fields = objectIn(pattern)
  if (fields === undefined) throw new InvalidEventPattern('Filter is not an object')
  return withFields([], { fields, path: [], inOr: false })
}

/** An object of a pattern, and where it is. */
interface Within {
  readonly fields: Readonly<Record<string, unknown>>
  readonly path: ReadonlyArray<string>
  readonly inOr: boolean
}

const objectIn = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined

const withFields = (before: EventPattern, { fields, path, inOr }: Within): EventPattern => {
  const entries = Object.entries(fields)
  if (entries.length === 0) throw new InvalidEventPattern('Empty objects are not allowed')
  return entries.reduce((alternatives, [name, value]) => {
    if (name === '$or') return withOr(alternatives, value, path)
    if (inOr && RESERVED.has(name))
      throw new InvalidEventPattern(`${name} is Ruler reserved fieldName which cannot be used inside $or.`)
    const at = [...path, name]
    const inner = objectIn(value)
    if (inner !== undefined) return withFields(alternatives, { fields: inner, path: at, inOr })
    if (!Array.isArray(value)) throw new InvalidEventPattern(`"${name}" must be an object or an array`)
    if (value.length === 0) throw new InvalidEventPattern('Empty arrays are not allowed')
    const tests = value.map(fieldTestOf)
    return orOne(alternatives).map((alternative) => new Map(alternative).set(at.join('.'), tests))
  }, before)
}

const orOne = (alternatives: EventPattern): EventPattern =>
  alternatives.length === 0 ? [new Map()] : alternatives

const withOr = (before: EventPattern, value: unknown, path: ReadonlyArray<string>): EventPattern => {
  if (!Array.isArray(value)) throw new InvalidEventPattern('It must be an Array followed with $or.')
  if (value.length < 2)
    throw new InvalidEventPattern('There must have at least 2 Objects in $or relationship.')
  return value.flatMap((one: unknown) => {
    const fields = objectIn(one)
    if (fields === undefined)
      throw new InvalidEventPattern('Only JSON object is allowed in array of $or relationship.')
    return withFields(before, { fields, path, inOr: true })
  })
}

/** In which element of which array a value lies: the element's place by the array's number. */
type Elements = ReadonlyMap<number, number>

interface Field {
  readonly value: Leaf
  readonly elements: Elements
}

type Fields = ReadonlyMap<string, ReadonlyArray<Field>>

export const matches = (pattern: EventPattern, event: unknown): boolean => {
  const fields = fieldsOf(event)
  return pattern.some((alternative) => {
    // In the order of the paths, because whether a field is absent is asked of the elements chosen before it.
    const asked = [...alternative].toSorted(([one], [other]) => (one < other ? -1 : 1))
    return holds(asked, fields, new Map())
  })
}

const holds = (
  [first, ...rest]: ReadonlyArray<readonly [string, ReadonlyArray<FieldTest>]>,
  fields: Fields,
  chosen: Elements,
): boolean => {
  if (first === undefined) return true
  const [path, tests] = first
  const here = (fields.get(path) ?? []).flatMap((field) => {
    const joined = together(chosen, field.elements)
    return joined === undefined ? [] : [{ ...field, joined }]
  })
  if (here.length === 0) return tests.some(({ _tag }) => _tag === 'Absent') && holds(rest, fields, chosen)
  return here.some(
    ({ value, joined }) =>
      tests.some((test) => test._tag === 'Value' && test.passes(value)) && holds(rest, fields, joined),
  )
}

/** Undefined where they would be two elements of one array. */
const together = (chosen: Elements, more: Elements): Elements | undefined => {
  for (const [array, place] of more) if ((chosen.get(array) ?? place) !== place) return undefined
  return more.size === 0 ? chosen : new Map([...chosen, ...more])
}

/** The values of an event by their paths. */
const fieldsOf = (event: unknown): Fields => {
  const fields = new Map<string, Array<Field>>()
  let arrays = 0
  const add = (value: unknown, path: ReadonlyArray<string>, elements: Elements): void => {
    if (Array.isArray(value)) {
      const array = arrays
      arrays += 1
      for (const [place, element] of value.entries()) {
        // A value in an array is in no element together with others.
        const isLeaf = typeof element !== 'object' || element === null
        add(element, path, isLeaf ? elements : new Map(elements).set(array, place))
      }
    } else if (typeof value === 'object' && value !== null)
      for (const [name, inner] of Object.entries(value)) add(inner, [...path, name], elements)
    else {
      const name = path.join('.')
      fields.set(name, [...(fields.get(name) ?? []), { value: value as Leaf, elements }])
    }
  }
  add(event, [], new Map())
  return fields
}
