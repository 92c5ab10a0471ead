/** A clock whose waits are over at once, and whose chance is always the same: for what must not depend on either. */
import type { Clock } from '@everfold/core'

export const instantClock = (startMs: number = 1_767_225_600_000): Clock => {
  let nowMs = startMs
  return {
    nowMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms
    },
    random: () => 0.5,
  }
}
