/** The whole log of a store. */
import { type Commit, E, type EventStore } from '@everfold/core'

/** Every commit, in no order between streams. */
export async function* logOf(store: EventStore): AsyncGenerator<Commit> {
  let cursor: string | undefined
  do {
    const part = { segment: 0, segments: 1 }
    const page = await store.scan(cursor === undefined ? part : { ...part, cursor })()
    if (E.isLeft(page)) throw new Error(`the log cannot be read: ${JSON.stringify(page.left)}`)
    const [unreadable] = page.right.unreadable
    if (unreadable !== undefined) throw new Error(`the log cannot be read: ${JSON.stringify(unreadable)}`)
    yield* page.right.commits
    ;({ cursor } = page.right)
  } while (cursor !== undefined)
}
