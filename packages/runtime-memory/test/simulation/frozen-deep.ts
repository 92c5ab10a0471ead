/** Freezes a model's state, so that a step that changed it in place would throw; the entries of maps stay as they are. */
export const frozenDeep = <A>(value: A): A => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  const parts: Iterable<unknown> = value instanceof Map ? value.values() : Object.values(value)
  for (const part of parts) frozenDeep(part)
  return value
}
