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

const named = (id: string) => ({ id: id as CommandId })
const sent = { begun: named('p'), sent: ['a', 'b', 'c'].map(named), times: 2 }
const log = [commit(1, 1, ['p']), commit(2, 2, ['a']), commit(3, 4, ['b', 'c'])]
const all = [told('a', 2), told('b', 3), told('c', 3)]
const twice = [...all, ...all]

describe('effects are proven', () => {
  test('where just the commands sent are on record once, and every answer to them is the one there', () => {
    expect(provenEffects(sent, twice, log)).toBe(3)
  })
  test.each([
    ['a missing commit', twice, [commit(1, 1, ['p']), commit(3, 3, ['b', 'c'])], 'missing from the log'],
    ['a second answer', twice, [...log, commit(4, 5, ['b'])], 'answered twice'],
    ['a wrong version', twice, [commit(1, 1, ['p']), commit(2, 3, ['a'])], 'is not of version 2'],
    ['a command without an answer', twice, [commit(1, 3, ['p', 'a', 'b'])], 'c was not answered'],
    ['no beginning', twice, [commit(1, 3, ['a', 'b', 'c'])], 'p was not answered'],
    ['an effect that nobody asked for', twice, [...log, commit(4, 5, ['d'])], 'd is on record, and nobody'],
    [
      'a command that was told nothing',
      [...all, told('a', 2), told('b', 3)],
      log,
      'c was told 1 times, not 2',
    ],
    ['nothing told at all', [], log, 'a was told 0 times, not 2'],
    ['an answer too many', [...twice, told('a', 2)], log, 'a was told 3 times, not 2'],
    ['an answer of another place', [told('a', 3)], log, 'told otherwise'],
    ['another answer', [told('a', 2, E.right([]))], log, 'told otherwise'],
    ['a rejection', [told('a', 2, E.left('no'))], log, 'told otherwise'],
    ['an answer to an unknown command', [told('d', 2)], log, 'told otherwise'],
  ])('and refused for %s', (_, answers, commits, why) => {
    expect(() => provenEffects(sent, answers, commits)).toThrow(why)
  })
})
