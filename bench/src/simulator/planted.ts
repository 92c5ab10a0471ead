/** The bank with one bug planted in what it runs on, for shrinking the runs that show it. */
import { E } from '@everfold/core'
import { bank } from '@everfold/local/simulate'
import type { FunctionPorts, SimulationOptions } from '@everfold/runtime-memory/simulation'

interface Planted {
  readonly bug: string
  readonly options: SimulationOptions
}

const withPorts = (ports: (ports: FunctionPorts) => FunctionPorts): SimulationOptions => ({
  ...bank,
  parts: { ports },
})

/** An append that fails in this way is taken to be done. */
const takenForStored = (failure: 'Conflict' | 'OutcomeUnknown'): SimulationOptions =>
  withPorts((ports) => ({
    ...ports,
    store: {
      ...ports.store,
      append: (commit) => async () => {
        const appended = await ports.store.append(commit)()
        return E.isLeft(appended) && appended.left._tag === failure ? E.right(undefined) : appended
      },
    },
  }))

const sendingOnce = withPorts((ports) => ({
  ...ports,
  to: {
    ...ports.to,
    commands: {
      ...ports.to.commands,
      send: (messages) => async () => {
        await ports.to.commands.send(messages)()
        return E.right(undefined)
      },
    },
  },
}))

export const planted: ReadonlyArray<Planted> = [
  { bug: 'a failed condition counts as success', options: takenForStored('Conflict') },
  { bug: 'an outcome that is unknown counts as success', options: takenForStored('OutcomeUnknown') },
  { bug: 'a message that was not sent counts as sent', options: sendingOnce },
]
