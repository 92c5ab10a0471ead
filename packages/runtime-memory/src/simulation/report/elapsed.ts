/** Virtual time in words: `250 ms`, `1.25 s`, `3 min 20 s`, `2 h 5 min`. */
export const elapsed = (ms: number): string => {
  if (ms < 0) return `-${elapsed(-ms)}`
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < MINUTE) return `${Math.round(ms) / SECOND} s`
  if (ms < HOUR) return joined(ms, MINUTE, 'min', SECOND, 's')
  if (ms < DAY) return joined(ms, HOUR, 'h', MINUTE, 'min')
  return joined(ms, DAY, 'd', HOUR, 'h')
}

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000] as const

const joined = (ms: number, large: number, name: string, small: number, rest: string): string => {
  const left = Math.floor((ms % large) / small)
  return `${Math.floor(ms / large)} ${name}${left === 0 ? '' : ` ${left} ${rest}`}`
}
