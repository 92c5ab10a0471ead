/**
 * Sees what each decision was asked, by watching the deciders themselves: whoever handles a command, at whatever level,
 * decides with these.
 */
import type { Aggregates, AnyAggregate, CommandId } from '@everfold/core'

/** A command that was decided on, maybe in vain, maybe several times. */
export type Decided = (aggregate: string, id: CommandId, command: unknown) => void

export interface Witness {
  readonly decided: Decided
  /** The different commands that came under this id. */
  commandsOf(this: void, aggregate: string, id: CommandId): ReadonlyArray<unknown>
}

export const witness = (): Witness => {
  const seen = new Map<string, Array<unknown>>()
  return {
    decided: (aggregate, id, command) => {
      const key = `${aggregate} ${id}`
      const commands = seen.get(key)
      if (commands === undefined) seen.set(key, [command])
      else if (!commands.includes(command) && commands.length < MOST) commands.push(command)
    },
    commandsOf: (aggregate, id) => seen.get(`${aggregate} ${id}`) ?? [],
  }
}

/** Repeats decode to equal commands that are not the same object, so a few stand for all. */
const MOST = 16

/** The same aggregates, telling of each decision. */
export const watched = (aggregates: Aggregates, decided: Decided): Aggregates =>
  new Map([...aggregates].map(([name, aggregate]) => [name, watchedAggregate(aggregate, decided)]))

const watchedAggregate = (aggregate: AnyAggregate, decided: Decided): AnyAggregate => ({
  ...aggregate,
  decide: (command, state, context) => {
    decided(aggregate.name, context.commandId, command)
    return aggregate.decide(command, state, context)
  },
})
