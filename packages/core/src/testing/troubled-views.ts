/** View stores for laws, over a plain one: whoever writes may crash, and whoever asks may be overtaken. */
import * as fc from 'fast-check'
import { type Fault, unavailable } from '../fault.ts'
import { E, type TE } from '../fp.ts'
import type { ViewStore } from '../ports/view-store.ts'

/** What becomes of a write: it is done, or the projector crashes right before it, or right after. */
export type Fate = 'done' | 'crash before' | 'crash after'

export const fates = fc.array(fc.constantFrom<Fate>('done', 'crash before', 'crash after'), { maxLength: 40 })

/** A view store whose next writes, of rows and of progress alike, meet these fates. */
export const crashing = (views: ViewStore, ahead: ReadonlyArray<Fate>): ViewStore => {
  let writes = 0
  const meeting =
    <A>(write: TE.TaskEither<Fault, A>): TE.TaskEither<Fault, A> =>
    async () => {
      const fate = ahead[writes] ?? 'done'
      writes += 1
      if (fate === 'done') return write()
      if (fate === 'crash after') await write()
      return E.left(unavailable('the projector crashed'))
    }
  return {
    ...views,
    put: (...asked) => meeting(views.put(...asked)),
    advance: (...asked) => meeting(views.advance(...asked)),
  }
}

/** A view store that lets others go first after whatever it did, as the scheduler pleases. */
export const yielding = (views: ViewStore, scheduler: fc.Scheduler): ViewStore => {
  const turn =
    <A>(label: string, call: TE.TaskEither<Fault, A>): TE.TaskEither<Fault, A> =>
    async () => {
      const answer = await call()
      return scheduler.schedule(Promise.resolve(answer), label)
    }
  return {
    ...views,
    progress: (...asked) => turn('progress', views.progress(...asked)),
    get: (...asked) => turn('get', views.get(...asked)),
    put: (...asked) => turn('put', views.put(...asked)),
  }
}
