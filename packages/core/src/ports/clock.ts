/** Time, waiting and chance: the only sources of them, and always arguments. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(this: void): number
  /** Resolves after `ms` of this clock's time. */
  sleep(this: void, ms: number): Promise<void>
  /** A number in [0, 1). */
  random(this: void): number
}
