import {
  changeStreamSuite,
  eventStoreSuite,
  type Firing,
  keyRingSuite,
  queueSuite,
  type Suite,
  timerServiceSuite,
  viewStoreSuite,
} from '@everfold/core/conformance'
import {
  memoryChangeStream,
  memoryEventStore,
  memoryKeyRing,
  memoryQueue,
  memoryTimerService,
  memoryViewStore,
  type VirtualKernel,
  virtualKernel,
} from '@everfold/runtime-memory'
import { describe, expect, test } from 'vitest'

/** Each case in a run of its own kernel, which the implementation under test gets too. */
const conforms = (name: string, suiteOn: (current: () => VirtualKernel) => Suite): void => {
  describe(`the ${name}`, () => {
    for (const mode of ['stepped', 'immediate'] as const) {
      let kernel = virtualKernel({ mode })
      for (const { title, run } of suiteOn(() => kernel))
        test(`${mode}: ${title}`, async () => {
          kernel = virtualKernel({ mode, seed: title })
          await expect(kernel.run(run)).resolves.toBeUndefined()
        })
    }
  })
}

conforms('event store', (kernel) => eventStoreSuite(async () => memoryEventStore(kernel())))
conforms('event store with short pages', (kernel) =>
  eventStoreSuite(async () => memoryEventStore(kernel(), { pageCommits: 2 })),
)
conforms('change stream', (kernel) =>
  changeStreamSuite(async () => {
    const store = memoryEventStore(kernel())
    return { store, changes: memoryChangeStream(kernel(), store), advance: kernel().sleep }
  }),
)
conforms('view store', (kernel) =>
  viewStoreSuite(async () => ({ views: memoryViewStore(kernel()), advance: kernel().sleep })),
)
conforms('queue', (kernel) =>
  queueSuite(async () => ({
    queue: memoryQueue(kernel(), { visibilityMs: 30_000 }),
    visibilityMs: 30_000,
    advance: kernel().sleep,
  })),
)
conforms('timer service', (kernel) =>
  timerServiceSuite(async () => {
    const { nowMs, sleep } = kernel()
    const firings: Array<Firing> = []
    const timers = memoryTimerService(kernel(), async (timer) => {
      firings.push({ timer, atMs: nowMs() })
    })
    return { timers, nowMs, fired: () => firings, advance: sleep }
  }),
)
conforms('key ring', (kernel) => keyRingSuite(async () => memoryKeyRing(kernel())))
