/** Listeners who are told that there is something new, so that they need not poll. */
export interface Subscribers {
  /** The function it answers ends the subscription. */
  subscribe(this: void, listener: () => void): () => void
  tell(this: void): void
}

export const subscribers = (): Subscribers => {
  const listeners = new Set<() => void>()
  return {
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    tell: () => {
      for (const listener of listeners) listener()
    },
  }
}
