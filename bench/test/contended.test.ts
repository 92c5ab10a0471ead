import { provenEffects } from '@everfold/bench'
import { type Answer, type CommandId, type Commit, E, type StreamName } from '@everfold/core'
import { describe, expect, test } from 'vitest'

const stream = 'order/o' as StreamName
const event = { _tag: 'ItemAdded', sku: 'apple' }

const answer = (id: string) => ({
  id: id as CommandId,
  fingerprint: 'f' as Commit['answers'][number]['fingerprint'],
  timeMs: 7,
  metadata: { correlationId: id },
  events: [event],
})

const commit = (number: number, version: number, ids: ReadonlyArray<string>): Commit => ({
  stream,
  number,
  version,
  timeMs: 7,
  latestIdMs: 0,
  answers: ids.map(answer),
})

const told = (id: string, at: number, outcome: Answer<unknown, unknown>['outcome'] = E.right([event])) => ({
  commandId: id as CommandId,
  position: { stream, commit: at },
  outcome,
  timeMs: 7,
  replayed: false,
})

const sent = ['a', 'b', 'c'].map((id) => ({ id: id as CommandId }))
const log = [commit(1, 1, ['a']), commit(2, 3, ['b', 'c'])]

describe('effects are proven', () => {
  test('where each command is on record once, and whoever sent it was told that', () => {
    expect(provenEffects(sent, [told('a', 1), told('a', 1), told('c', 2)], log)).toBe(3)
  })
  test.each([
    ['a missing commit', [], [commit(1, 1, ['a']), commit(3, 3, ['b', 'c'])], 'missing from the log'],
    ['a second answer', [], [...log, commit(3, 4, ['b'])], 'answered twice'],
    ['a wrong version', [], [commit(1, 1, ['a']), commit(2, 2, ['b', 'c'])], 'is not of version 3'],
    ['a command without an answer', [], [commit(1, 2, ['a', 'b'])], 'c was not answered'],
    ['an answer of another place', [told('a', 2)], log, 'told otherwise'],
    ['another answer', [told('a', 1, E.right([]))], log, 'told otherwise'],
    ['a rejection', [told('a', 1, E.left('no'))], log, 'told otherwise'],
    ['an answer to an unknown command', [told('d', 1)], log, 'told otherwise'],
  ])('and refused for %s', (_, answers, commits, why) => {
    expect(() => provenEffects(sent, answers, commits)).toThrow(why)
  })
})
