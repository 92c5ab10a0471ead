/** How long to wait before the next attempt, so that those who met do not meet again. */

/** Full jitter under an exponential ceiling of 5 ms to 0.5 s. Source: AWS Architecture Blog, "Exponential Backoff And Jitter". */
export const backoffMs = (attempt: number, random: number): number => random * Math.min(500, 5 * 2 ** attempt)
