/** Freezes a model's state, maps and all, so that a step that changed it in place would throw. */
export const frozenDeep = <A>(value: A): A => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof Map || value instanceof Set)
    for (const change of ['set', 'add', 'delete', 'clear'])
      Object.defineProperty(value, change, { value: refuse })
  Object.freeze(value)
  const parts: Iterable<unknown> = value instanceof Map ? value.values() : Object.values(value)
  for (const part of parts) frozenDeep(part)
  return value
}

const refuse = (): never => {
  throw new Error('the state of a model is changed in place')
}
