/** The machine's own time and chance: what every entry point hands to the parts that need a clock. */
import type { Clock } from '@everfold/core'

const words = new Uint32Array(1)

export const systemClock: Clock = {
  // Asked for at each call, so that a simulation's own time is found in its place.
  nowMs: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
  random: () => (crypto.getRandomValues(words)[0] ?? 0) / 2 ** 32,
}
