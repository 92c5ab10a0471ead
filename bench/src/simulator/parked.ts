/** The floor of a simulator that lets one thing happen at a time: a loop by hand that resolves parked promises one by one. */

/** Somebody asks so often for something and waits for it; each answer is given once all else has come to rest. */
export const resolveParked = async (count: number): Promise<void> => {
  const parked: Array<() => void> = []
  const ask = (): Promise<void> => new Promise((resolve) => void parked.push(resolve))
  const asking = async (): Promise<void> => {
    for (let asked = 0; asked < count; asked += 1) await ask()
  }
  const done = asking()
  for (let next = parked.shift(); next !== undefined; next = parked.shift()) {
    next()
    await new Promise<void>((resolve) => process.nextTick(resolve))
  }
  return done
}
