/** Places in an item: reading them, and setting and removing what is there, without changing the item itself. */
import { type AttributeValue, attributeOf, type Item } from './attribute.ts'
import { invalid } from './refusal.ts'

/** Names of attributes, and places in lists. */
export type Path = ReadonlyArray<string | number>

export const valueAt = (item: Item | undefined, path: Path): AttributeValue | undefined => {
  let value: AttributeValue | undefined = item === undefined ? undefined : { M: item }
  for (const step of path) {
    if (value === undefined) return undefined
    value = inside(value, step)
  }
  return value
}

const inside = (value: AttributeValue, step: string | number): AttributeValue | undefined => {
  if (typeof step === 'string') return 'M' in value ? attributeOf(value.M, step) : undefined
  return 'L' in value ? value.L[step] : undefined
}

/** A place in a list beyond its end is its end. The place that holds it has to be there. */
export const withValue = (item: Item, path: Path, value: AttributeValue): Item =>
  changed({ M: item }, path, value)

export const withoutValue = (item: Item, path: Path): Item => changed({ M: item }, path, undefined)

const changed = (item: { readonly M: Item }, path: Path, value: AttributeValue | undefined): Item => {
  const result = change(item, path, value)
  return 'M' in result ? result.M : item.M
}

const change = (within: AttributeValue, path: Path, value: AttributeValue | undefined): AttributeValue => {
  const [step, ...rest] = path
  if (step === undefined) return within
  const before = inside(within, step)
  if (rest.length > 0) {
    if (before === undefined) throw outside()
    return placed(within, step, change(before, rest, value))
  }
  return value === undefined && before === undefined ? taken(within, step) : placed(within, step, value)
}

const outside = (): Error =>
  invalid('The document path provided in the update expression is invalid for update')

/** Nothing is there; but for a removal, too, what holds the place has to be of its kind. */
const taken = (within: AttributeValue, step: string | number): AttributeValue => {
  if (typeof step === 'string' ? 'M' in within : 'L' in within) return within
  throw outside()
}

const placed = (
  within: AttributeValue,
  step: string | number,
  value: AttributeValue | undefined,
): AttributeValue => {
  if (typeof step === 'string' && 'M' in within) {
    const { [step]: _, ...others } = within.M
    if (value === undefined) return { M: others }
    return { M: Object.fromEntries([...Object.entries(within.M), [step, value]]) }
  }
  if (typeof step === 'number' && 'L' in within)
    return { L: value === undefined ? within.L.toSpliced(step, 1) : within.L.toSpliced(step, 1, value) }
  throw outside()
}

/** What of the item lies at these places; the elements that are kept of a list close up. */
export const projected = (item: Item, paths: ReadonlyArray<Path>): Item => {
  const kept = keep({ M: item }, paths)
  return kept !== undefined && 'M' in kept ? kept.M : {}
}

const keep = (value: AttributeValue, paths: ReadonlyArray<Path>): AttributeValue | undefined => {
  if (paths.some((path) => path.length === 0)) return value
  const rests = new Map<string | number, Array<Path>>()
  for (const [step, ...rest] of paths) {
    if (step === undefined) continue
    rests.set(step, [...(rests.get(step) ?? []), rest])
  }
  if ('M' in value) return keepOfMap(value.M, rests)
  return 'L' in value ? keepOfList(value.L, rests) : undefined
}

type Rests = ReadonlyMap<string | number, ReadonlyArray<Path>>

const keepOfMap = (map: Item, rests: Rests): AttributeValue | undefined => {
  const kept: Array<readonly [string, AttributeValue]> = []
  for (const [name, paths] of rests) {
    const before = typeof name === 'string' ? attributeOf(map, name) : undefined
    const value = before === undefined ? undefined : keep(before, paths)
    if (value !== undefined) kept.push([String(name), value])
  }
  return kept.length === 0 ? undefined : { M: Object.fromEntries(kept) }
}

const keepOfList = (list: ReadonlyArray<AttributeValue>, rests: Rests): AttributeValue | undefined => {
  const kept = list.flatMap((before, place) => {
    const paths = rests.get(place)
    const value = paths === undefined ? undefined : keep(before, paths)
    return value === undefined ? [] : [value]
  })
  return kept.length === 0 ? undefined : { L: kept }
}

/** Refuses places of which one lies inside of another. */
export const demandDistinct = (what: string, paths: ReadonlyArray<Path>): void => {
  for (const [at, one] of paths.entries())
    for (const other of paths.slice(at + 1)) {
      const length = Math.min(one.length, other.length)
      const apart = Array.from({ length }, (_, step) => step).find((step) => one[step] !== other[step])
      if (apart === undefined)
        throw invalid(
          `Invalid ${what}: Two document paths overlap with each other; must remove or rewrite one`,
        )
      if (typeof one[apart] !== typeof other[apart])
        throw invalid(
          `Invalid ${what}: Two document paths conflict with each other; must remove or rewrite one`,
        )
    }
}
