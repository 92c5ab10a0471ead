/** A failing run as an error, for whatever runs tests. */
import type { Run } from '../run.ts'
import { placeOf } from './place.ts'
import { encodePlan } from './plan-text.ts'
import { regressionTest } from './regression-test.ts'
import { summary } from './summary.ts'

/** How the user's test names his simulation, and the module that exports it. */
export interface Called {
  readonly name: string
  readonly from: string
}

const CALLED: Called = { name: 'simulation', from: './simulation.ts' }

/** What else the report of a failing run says. */
interface Telling {
  readonly called?: Called
  /** What is to be known of how the run was found. */
  readonly remark?: string
  /** Whether there is a test already that keeps it. */
  readonly kept?: boolean
}

/**
 * Something did not hold. The message is the report, with a plan and a test to paste; the stack begins in the user's code;
 * `run` is the shrunk run itself.
 */
export class NotHeld extends Error {
  override readonly name = 'NotHeld'
  readonly #run: Run

  /** `asked` is the stack of whoever asked for the run, where no code is at fault alone. */
  constructor(run: Run, asked: string, telling: Telling = {}) {
    super(reportOf(run, telling))
    this.#run = run
    const told = `${this.name}: ${this.message}`
    this.stack = `${told}\n${framesFrom(run.violation?.stack) ?? framesFrom(asked) ?? ''}`
  }

  /** No field of its own, which whatever runs tests would print in full. */
  get run(): Run {
    return this.#run
  }
}

const reportOf = (run: Run, { called = CALLED, remark, kept = false }: Telling): string => {
  const replay = () =>
    [
      "import { replayPlan } from '@everfold/runtime-memory/simulation'",
      `await replayPlan(${called.name}, ${planLiteral(run)})`,
    ].join('\n')
  const told = summary(run, { replay, ...(remark === undefined ? {} : { remark }) })
  return kept ? told : [told, 'A test to keep', regressionTest(run, { simulation: called })].join('\n')
}

/** A string of JavaScript. */
const planLiteral = ({ plan, requests }: Run): string =>
  `'${encodePlan(plan, requests).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** The frames of a stack from the user's first on; undefined where there is none of his. */
const framesFrom = (stack: string | undefined): string | undefined => {
  const frames = (stack ?? '').split('\n').filter((line) => /^\s*at /.test(line))
  const place = placeOf(frames.join('\n'))
  if (place === undefined) return undefined
  const first = frames.findIndex((frame) => placeOf(frame)?.file === place.file)
  return frames.slice(Math.max(0, first)).join('\n')
}
