/**
 * Plain data made unchangeable, so that no one who holds what is stored can change history.
 *
 * What JSON cannot carry is refused with an error: a store on disk would lose it, so memory must not keep it.
 */

/** Freezes `value` through and through; answers an upper bound of its size as JSON, in UTF-8 bytes. */
export const freeze = (value: unknown): number => {
  // One unit takes at most six bytes, as an escape.
  if (typeof value === 'string') return 2 + 6 * value.length
  if (typeof value === 'number' && Number.isFinite(value)) return 24
  if (typeof value === 'boolean' || value === null) return 5
  if (typeof value !== 'object')
    throw new Error(`a value of type ${typeof value} is not JSON: leave the field out`)
  return Array.isArray(value) ? freezeList(value) : freezeRecord(value)
}

const freezeList = (list: ReadonlyArray<unknown>): number => {
  let size = 2
  for (const item of list) size += 1 + freeze(item)
  Object.freeze(list)
  return size
}

const freezeRecord = (record: object): number => {
  // The field is cheaper to look at than the prototype, but JSON may have one of that name.
  if (record.constructor !== Object && !isPlain(record))
    throw new Error(`a ${record.constructor.name} is not JSON`)
  let size = 2
  // Own keys only, since the prototype is checked to be the plain one; faster than listing them.
  for (const key in record) size += 4 + 6 * key.length + freeze((record as Record<string, unknown>)[key])
  Object.freeze(record)
  return size
}

const isPlain = (record: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(record)
  return prototype === Object.prototype || prototype === null
}
