/** What was used last, as much of it as there is room for. */
export interface Recent<Value> {
  get(this: void, name: string): Value | undefined
  set(this: void, name: string, value: Value, weight?: number): void
  delete(this: void, name: string): void
  clear(this: void): void
}

export const recent = <Value>(room: number): Recent<Value> => {
  const kept = new Map<string, { readonly value: Value; readonly weight: number }>()
  let weights = 0
  const remove = (name: string) => {
    weights -= kept.get(name)?.weight ?? 0
    kept.delete(name)
  }
  return {
    get: (name) => kept.get(name)?.value,
    set: (name, value, weight = 1) => {
      // Set anew, it becomes the youngest of the map's order.
      remove(name)
      kept.set(name, { value, weight })
      weights += weight
      for (const oldest of kept.keys()) {
        if (weights <= room) return
        remove(oldest)
      }
    },
    delete: remove,
    clear: () => {
      kept.clear()
      weights = 0
    },
  }
}
