import { describe, expect, test } from 'vitest'
import { reported } from '../../src/simulation/models/event-source-mapping/batch-item-failures.ts'

const items = new Set(['1', '2', '3'])
const failing = (...list: ReadonlyArray<unknown>) => ({ batchItemFailures: list })

describe('an answer to a batch means', () => {
  test.each([
    ['no answer', undefined],
    ['null', null],
    ['an empty answer', {}],
    ['an answer about something else', { done: true }],
    ['no list', { batchItemFailures: undefined }],
    ['null for a list', { batchItemFailures: null }],
    ['an empty list', failing()],
  ])('success: %s', (_, answer) => {
    expect(reported(answer, items)).toEqual({ _tag: 'AllSucceeded' })
  })

  test.each([
    ['an empty identifier', failing({ itemIdentifier: '' })],
    ['null for an identifier', failing({ itemIdentifier: null })],
    ['a number for an identifier', failing({ itemIdentifier: 1 })],
    ['a wrong key', failing({ itemIdentifer: '1' })],
    ['an entry that is null', failing(null)],
    ['an entry that is text', failing('1')],
    ['a stranger', failing({ itemIdentifier: '4' })],
    ['a good entry before a bad one', failing({ itemIdentifier: '1' }, { itemIdentifier: '' })],
    ['a good entry behind a bad one', failing({}, { itemIdentifier: '1' })],
    ['no list but an entry', { batchItemFailures: { itemIdentifier: '1' } }],
    ['text for a list', { batchItemFailures: '1' }],
    ['text', 'ok'],
    ['a number', 0],
    ['false', false],
    ['a list', [{ itemIdentifier: '1' }]],
  ])('failure of all: %s', (_, answer) => {
    expect(reported(answer, items)).toEqual({ _tag: 'AllFailed' })
  })

  test.each([
    [['1'], failing({ itemIdentifier: '1' })],
    [['2'], failing({ itemIdentifier: '2', more: true })],
    [['1', '3'], failing({ itemIdentifier: '3' }, { itemIdentifier: '1' })],
    [['2'], failing({ itemIdentifier: '2' }, { itemIdentifier: '2' })],
    [['1', '2', '3'], failing(...[...items].map((itemIdentifier) => ({ itemIdentifier })))],
  ])('failure of %j', (identifiers, answer) => {
    expect(reported(answer, items)).toEqual({ _tag: 'SomeFailed', identifiers: new Set(identifiers) })
  })
})
