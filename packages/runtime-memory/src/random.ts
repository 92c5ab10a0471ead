/**
 * Seeded chance.
 *
 * Law: a draw depends on its seed and key alone, so a choice that is added or removed elsewhere shifts no other.
 */

/** 32 bits of `text`: FNV-1a, stirred by the finalizer of MurmurHash3 so that near texts differ everywhere. */
export const hash32 = (text: string, basis: number = 0x811c9dc5): number => {
  let hash = basis
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** The number in [0, 1) that this seed gives this key. */
export const draw = (seed: string, key: string): number => hash32(key, hash32(seed)) / 2 ** 32

/** An endless sequence of numbers in [0, 1). Source: Chris Doty-Humphrey, PractRand, sfc32. */
export const sequence = (seed: string): (() => number) => {
  let [one, two, three, counter] = [hash32(`${seed}/1`), hash32(`${seed}/2`), hash32(`${seed}/3`), 1]
  return () => {
    const sum = (one + two + counter) | 0
    counter = (counter + 1) | 0
    one = two ^ (two >>> 9)
    two = (three + (three << 3)) | 0
    three = (((three << 21) | (three >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
}

/** A hash of texts in their order, for telling two runs apart. */
export const hashOf = (texts: ReadonlyArray<string>): string => {
  let [low, high] = [0x811c9dc5, 0x9e3779b9]
  for (const text of texts) {
    low = hash32(text, low)
    high = hash32(text, high ^ low)
  }
  return [low, high].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}
