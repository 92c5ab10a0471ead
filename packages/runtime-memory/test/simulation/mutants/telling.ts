/** Bugs of what is told: to clients, to the stream's other readers, and by a clock that runs ahead. */
import { type CommandId, deriveId, E, envelope, execute } from '@everfold/core'
import { envelopeOf } from '../../../src/simulation/deployment/client.ts'
import { type Functions, functions } from '../../../src/simulation/deployment/functions.ts'
import { barWith } from './bar-simulation.ts'
import type { Mutant } from './mutant.ts'

/** A repeat hears that nothing changed. */
const forgetful: Functions['api'] = (ports) => {
  const api = functions.api(ports)
  return async (request) => {
    const answer = await api(request)
    if (E.isLeft(answer) || E.isLeft(answer.right) || !answer.right.right.replayed) return answer
    return E.right(E.right({ ...answer.right.right, outcome: E.right([]) }))
  }
}

/** What was refused is told as done. */
const obliging: Functions['api'] = (ports) => {
  const api = functions.api(ports)
  return async (request) => {
    const answer = await api(request)
    if (E.isLeft(answer) || E.isLeft(answer.right) || E.isRight(answer.right.right.outcome)) return answer
    return E.right(E.right({ ...answer.right.right, outcome: E.right([]) }))
  }
}

/** Each command is done once more, under an id that nobody sent. */
const eager: Functions['api'] = (ports) => {
  const api = functions.api(ports)
  return async (request) => {
    const answer = await api(request)
    const aggregate = ports.aggregates.get(request.aggregate)
    if (aggregate === undefined) return answer
    const asked = envelopeOf(aggregate, request, ports.clock.nowMs())
    const id: CommandId = deriveId(asked.timeMs, 'once more', request.id)
    const again = envelope(asked.command, { id, timeMs: asked.timeMs })
    await execute(aggregate, ports)(request.stream, [again])()
    return answer
  }
}

export const telling: ReadonlyArray<Mutant> = [
  {
    name: '26 a repeat is told otherwise',
    bug: 'A handler answers a command that is on record without looking at its answer there.',
    breaks: ['S3'],
    options: barWith({ functions: { api: forgetful } }),
    budget: 100,
    level: 'port',
  },
  {
    name: '27 a refusal is told as done',
    bug: 'A handler tells its client that all is well where its aggregate refused.',
    breaks: ['S3'],
    options: barWith({ functions: { api: obliging } }),
    budget: 100,
    level: 'port',
  },
  {
    name: '28 a command that nobody sent',
    bug: 'A handler does each command once more, under an id of its own.',
    breaks: ['S3'],
    options: barWith({ functions: { api: eager } }),
    budget: 100,
    level: 'port',
  },
  {
    name: '29 a call that is only said to be made',
    bug: 'A consumer of calls acknowledges them and makes none.',
    breaks: ['E1'],
    options: barWith({ functions: { calls: () => async () => [] } }),
    budget: 100,
    level: 'port',
  },
  {
    name: '30 a timer fires early',
    bug: 'A relay sets each timer an hour before it is due.',
    breaks: ['E5'],
    options: barWith({
      ports: (ports) => ({
        ...ports,
        to: {
          ...ports.to,
          timers: {
            ...ports.to.timers,
            schedule: (timer) => ports.to.timers.schedule({ ...timer, dueMs: timer.dueMs - 3_600_000 }),
          },
        },
      }),
    }),
    budget: 100,
    level: 'port',
  },
]
