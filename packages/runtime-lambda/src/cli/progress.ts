/** A bar on standard error for work that takes long, and what to say when the operator stops it. */
import { SingleBar } from 'cli-progress'

export interface BarOptions {
  readonly title: string
  readonly unit: string
  /** An estimate; what goes beyond moves it. */
  readonly total: number
  /** Said where the work is interrupted: what became of it, and how to go on. */
  readonly interrupted: string
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** The work behind a bar; it says how much is done. A signal ends the process as it would without a bar. */
export const withBar = async <A>(
  { title, unit, interrupted, ...options }: BarOptions,
  work: (reach: (done: number) => void) => Promise<A>,
): Promise<A> => {
  const bar = new SingleBar({
    format: `${title} {bar} {value}/{total} ${unit}, {eta_formatted} left`,
    barsize: 20,
    stream: process.stderr,
    // Where nobody watches, a line from time to time.
    noTTYOutput: true,
    // The bar's own way to go takes the signal and lets the process live.
    gracefulExit: false,
  })
  const leave = (signal: NodeJS.Signals): void => {
    bar.stop()
    process.stderr.write(`${interrupted}\n`)
    process.kill(process.pid, signal)
  }
  for (const signal of SIGNALS) process.once(signal, leave)
  let { total } = options
  bar.start(total, 0)
  try {
    return await work((done) => {
      if (done > total) bar.setTotal((total = done))
      bar.update(done)
    })
  } finally {
    bar.stop()
    for (const signal of SIGNALS) process.off(signal, leave)
  }
}
