/**
 * The simulated account's only source of chance: one seed gives one run.
 *
 * Identifiers begin with a counter, as Stripe's begin with a time, so that two are never equal whatever the
 * generator draws. The generator is mulberry32 (Tommy Ettinger, 2017), chosen because its whole state is one number.
 */

export interface Random {
  /** Uniform in [0, 1). */
  readonly next: () => number
  /** `pi_3000001kXw...`: the prefix, a counter and sixteen drawn letters and digits. */
  readonly id: (prefix: string) => string
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

const hash = (text: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

export const createRandom = (seed: string | number): Random => {
  let state = hash(String(seed))
  let issued = 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const id = (prefix: string): string => {
    issued += 1
    let drawn = ''
    for (let i = 0; i < 16; i += 1) drawn += ALPHABET[Math.floor(next() * ALPHABET.length)]
    return `${prefix}_3${issued.toString(36).padStart(6, '0')}${drawn}`
  }
  return { next, id }
}
