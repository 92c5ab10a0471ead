/**
 * One mailbox per stream: commands that arrive while one is being answered are decided together, as one commit.
 *
 * So 10,000 callers of one stream cost a hundred appends, not ten thousand and their conflicts.
 */
import { E, type Envelope, type Fault, type Settled, type StreamName, type TE } from '@everfold/core'

export type AnySettled = Settled<unknown, unknown>
type Answered = E.Either<Fault, AnySettled>

/** Answers a group of one stream; bound to the stream's aggregate. */
export type ExecuteGroup = (
  stream: StreamName,
  group: ReadonlyArray<Envelope<unknown>>,
) => TE.TaskEither<Fault, ReadonlyArray<AnySettled>>

interface Letter {
  readonly envelope: Envelope<unknown>
  readonly resolve: (answered: Answered) => void
  readonly reject: (broken: unknown) => void
}

export const mailboxes = (
  limit: number,
): ((execute: ExecuteGroup, stream: StreamName, envelope: Envelope<unknown>) => Promise<Answered>) => {
  const open = new Map<StreamName, Array<Letter>>()
  const empty = async (execute: ExecuteGroup, stream: StreamName, letters: Array<Letter>): Promise<void> => {
    // Whoever calls in the same turn of the event loop joins the first group.
    await Promise.resolve()
    while (letters.length > 0) await answer(execute, stream, letters.splice(0, limit))
    open.delete(stream)
  }
  return (execute, stream, envelope) =>
    new Promise((resolve, reject) => {
      const letter = { envelope, resolve, reject }
      const letters = open.get(stream)
      if (letters !== undefined) {
        letters.push(letter)
        return
      }
      const first = [letter]
      open.set(stream, first)
      void empty(execute, stream, first)
    })
}

/** Only a broken invariant throws: those of its group hear of it, and those behind them are answered as ever. */
const answer = async (
  execute: ExecuteGroup,
  stream: StreamName,
  group: ReadonlyArray<Letter>,
): Promise<void> => {
  try {
    const answered = await execute(
      stream,
      group.map(({ envelope }) => envelope),
    )()
    for (const [at, { resolve }] of group.entries()) resolve(memberOf(answered, at))
  } catch (broken) {
    for (const { reject } of group) reject(broken)
  }
}

const memberOf = (answered: E.Either<Fault, ReadonlyArray<AnySettled>>, at: number): Answered => {
  if (E.isLeft(answered)) return answered
  const settled = answered.right[at]
  if (settled === undefined) throw new Error('a command handler answers every member of its group')
  return E.right(settled)
}
