/** Whatever goes wrong in a user's code is told as his, with his file and line, and no run hangs or crashes of it. */
import { execSync } from 'node:child_process'
import { E, unavailable } from '@everfold/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Run, type SimulationOptions, simulation } from '../../src/simulation/index.ts'
import { always, alwaysOverall, eventually } from '../../src/simulation/invariant.ts'
import { placeOf } from '../../src/simulation/report/place.ts'
import { decide, evolve, type Handlers, kiosk, kioskWith, more as summed } from './kiosk.ts'

const boom = (): never => {
  throw new Error('boom')
}

const runOf = (handlers: Handlers, more: Partial<SimulationOptions> = {}): Promise<Run> =>
  simulation({ ...kioskWith(handlers), workload: sales, ...more }).run('0')

/** One kiosk is filled, and sells. */
const sales = () =>
  ['Fill', 'Sell', 'Sell'].map((_tag, at) => ({
    aggregate: kiosk,
    id: 'north',
    command: { _tag, cups: _tag === 'Fill' ? 9 : 2 },
    afterMs: 1000 * at,
  }))

const line = (run: Run) => placeOf(run.violation?.stack ?? '')?.file

const toldOf = async (running: Promise<Run>) => {
  const { violation } = await running
  return { ...violation, file: placeOf(violation?.stack ?? '')?.file }
}

/** Told of this invariant, at a line of this file. */
const here = (invariant: string, message: RegExp) =>
  expect.objectContaining({
    invariant,
    message: expect.stringMatching(message) as string,
    file: import.meta.filename,
  }) as unknown

let unhandled = 0
const count = () => {
  unhandled += 1
}
beforeEach(() => {
  unhandled = 0
  process.on('unhandledRejection', count)
})
afterEach(() => {
  process.off('unhandledRejection', count)
  expect(unhandled).toBe(0)
})

describe('a handler that throws', () => {
  test('a decider', () =>
    expect(toldOf(runOf({ decide: boom }))).resolves.toEqual(
      here('handler', /^no handler throws, and api\(.+ did: Error: boom$/),
    ))
  test('an evolve', () => expect(toldOf(runOf({ evolve: boom }))).resolves.toEqual(here('handler', /boom/)))
  test('a view', () => expect(toldOf(runOf({ change: boom }))).resolves.toEqual(here('handler', /boom/)))
  test('a process that does not know whose an event is', () =>
    expect(toldOf(runOf({ route: boom }))).resolves.toEqual(here('handler', /boom/)))
  test('something that cannot be told', async () => {
    const thrown = Object.create(null) as Error
    const run = await runOf({
      decide: () => {
        throw thrown
      },
    })
    expect(run.violation?.message).toMatch(/did: something that cannot be told$/)
  })
})

/** Throws from the given call on, be that a handler's or the oracle's. */
const failingFrom = <Args extends ReadonlyArray<unknown>, A>(
  number: number,
  of: (...args: Args) => A,
): ((...args: Args) => A) => {
  let calls = 0
  return (...args) => {
    calls += 1
    return calls >= number ? boom() : of(...args)
  }
}

describe('code that the oracle asks anew', () => {
  test.each([1, 2, 3, 4, 5, 6, 7])('an evolve that throws at its call %i', (number) =>
    expect(toldOf(runOf({ evolve: failingFrom(number, evolve) }))).resolves.toEqual(here('handler', /boom/)),
  )
  test.each([1, 2, 3, 4])('a decider that throws at its call %i', (number) =>
    expect(toldOf(runOf({ decide: failingFrom(number, decide) }))).resolves.toEqual(here('handler', /boom/)),
  )
  test.each([1, 2, 3, 4])('a view that throws at its change %i', (number) =>
    expect(toldOf(runOf({ change: failingFrom(number, summed) }))).resolves.toEqual(here('handler', /boom/)),
  )
})

const callingOut = async () => E.right(void (await fetch('https://till.example')))

describe('a gateway', () => {
  test('that throws once is asked again', async () => {
    let calls = 0
    const call = async () => {
      calls += 1
      return calls === 1 ? boom() : E.right(undefined)
    }
    expect((await runOf({ call })).violation).toBeUndefined()
  })
  test('that always throws', () =>
    expect(toldOf(runOf({ call: async () => boom() }, { mostSteps: 2000 }))).resolves.toEqual(
      here('E6', /the gateway till, asked by kiosk\/north@\S+, threw: Error: boom$/),
    ))
  test('that never settles', async () => {
    const run = await runOf({ call: () => new Promise(() => undefined) }, { mostSteps: 2000 })
    expect(run.violation).toMatchObject({ invariant: 'E6' })
    expect(run.violation?.message).toMatch(/the gateway till, asked by kiosk\/north@\S+, never answered$/)
  })
  test('that is never available', async () => {
    const run = await runOf({ call: async () => E.left(unavailable('the till')) }, { mostSteps: 2000 })
    expect(run.violation?.message).toMatch(
      /the gateway till, asked by kiosk\/north@\S+, answered Unavailable$/,
    )
  })
  test('that calls out', async () => {
    await expect(toldOf(runOf({ call: callingOut }, { mostSteps: 2000 }))).resolves.toEqual(
      here('E6', /calls.+, in a gateway, called fetch\(\).+: .+ Bind the gateway to an implementation that/),
    )
  })
  test('that starts a process', async () => {
    const run = await runOf({ call: async () => E.right(void execSync('true')) }, { mostSteps: 2000 })
    expect(run.violation?.message).toMatch(/called child_process.execSync\(\).+ Bind the gateway to an/)
    expect(run.violation?.message).not.toContain('behind a gateway')
  })
})

const swallowing: typeof decide = (...args) => {
  try {
    Date.now()
  } catch {
    // As code does that only logs.
  }
  return decide(...args)
}

describe('a handler that reaches for what no replay can give it', () => {
  test.each<readonly [string, string, () => unknown]>([
    ['Date.now', 'context.timeMs', () => Date.now()],
    ['Math.random', 'clock.random', () => Math.random()],
    ['setTimeout', 'clock.sleep', () => setTimeout(() => undefined, 1)],
    ['fetch', 'gateway', () => fetch('https://tea.example')],
  ])('%s: %s is the argument to use', async (name, instead, reach) => {
    const deciding: typeof decide = (...args) => {
      reach()
      return decide(...args)
    }
    const run = await runOf({ decide: deciding })
    expect(run.violation?.invariant).toBe('handler')
    expect(run.violation?.message).toContain(`called ${name}() in a simulated run`)
    expect(run.violation?.message).toContain(instead)
    expect(line(run)).toBe(import.meta.filename)
  })
  test('also where it swallows the error', async () => {
    await expect(toldOf(runOf({ decide: swallowing }))).resolves.toEqual(here('handler', /Date\.now\(\)/))
  })
})

const leaving: typeof decide = (...args) => {
  void (async () => {
    await Promise.resolve()
    boom()
  })()
  return decide(...args)
}

describe('a promise that nobody waits for', () => {
  test('and is rejected is its handler’s fault', async () => {
    // What listens here is told of every one, whoever heeds it.
    const listening = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    try {
      await expect(toldOf(runOf({ decide: leaving }))).resolves.toEqual(
        here('handler', /left a promise behind that was rejected: Error: boom$/),
      )
    } finally {
      for (const listener of listening) process.on('unhandledRejection', listener)
    }
  })
})

describe('an invariant', () => {
  test('that does not hold is told with the line that states it', async () => {
    const invariants = [always('no tea is sold', kiosk, ({ sold }) => sold === 0)]
    await expect(toldOf(runOf({}, { invariants }))).resolves.toEqual(
      here('no tea is sold', /^no tea is sold, and in kiosk\/north@2 it does not hold$/),
    )
  })
  test('that holds in the end alone', async () => {
    const invariants = [
      eventually('all is sold', kiosk, ({ sold, filled }) => sold === filled || `${sold} of ${filled}`),
    ]
    await expect(toldOf(runOf({}, { invariants }))).resolves.toEqual(
      here('all is sold', /^all is sold, and in kiosk\/north@3 it does not hold: 4 of 9$/),
    )
  })
  test('that throws is told with the line that threw', async () => {
    const invariants = [alwaysOverall('nothing is odd', boom)]
    const run = await runOf({}, { invariants })
    expect(run.violation?.message).toBe('nothing is odd, and its judgement threw: Error: boom')
    expect(run.violation?.stack).toMatch(/^Error: boom\n\s+at boom /)
  })
})
