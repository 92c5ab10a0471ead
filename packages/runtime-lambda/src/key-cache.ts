/**
 * Keys kept in memory for a while, so that a busy function asks KMS once per subject and not once per command.
 *
 * Who destroys a key cannot reach the memory of another sandbox: that one may still use the key until its entry ends,
 * `cacheMs` after the read that brought it was begun. Bytes that leave the cache are wiped here.
 */

export interface KeyCacheOptions {
  /** The most keys; the one that was used longest ago goes first. */
  readonly entries: number
  /** How long a key may be used after it was read; and so, elsewhere, after it was destroyed. */
  readonly ms: number
}

export interface KeyCache {
  get(this: void, subject: string, nowMs: number): Uint8Array | undefined
  set(this: void, subject: string, key: Uint8Array, readMs: number): void
  delete(this: void, subject: string): void
}

export const keyCache = ({ entries, ms }: KeyCacheOptions): KeyCache => {
  const kept = new Map<string, { readonly key: Uint8Array; readonly untilMs: number }>()
  const drop = (subject: string): void => {
    kept.get(subject)?.key.fill(0)
    kept.delete(subject)
  }
  return {
    get: (subject, nowMs) => {
      const found = kept.get(subject)
      if (found === undefined) return undefined
      if (nowMs >= found.untilMs) {
        drop(subject)
        return undefined
      }
      kept.delete(subject)
      kept.set(subject, found)
      return found.key.slice()
    },
    set: (subject, key, readMs) => {
      drop(subject)
      kept.set(subject, { key: key.slice(), untilMs: readMs + ms })
      for (const oldest of kept.keys()) {
        if (kept.size <= entries) break
        drop(oldest)
      }
    },
    delete: drop,
  }
}
