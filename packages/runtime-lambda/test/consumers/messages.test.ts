import { E } from '@everfold/core'
import { describe, expect, test } from 'vitest'
import { MalformedEvent } from '../../src/consumers/malformed-event.ts'
import { DONE, messageConsumer } from '../../src/consumers/messages.ts'
import { count } from '../tally.ts'
import { sqsEvent } from './sqs-event.ts'

const desk = () => {
  const dead: Array<unknown> = []
  const worked: Array<unknown> = []
  const deadLetters = {
    send: (letter: unknown) => async () => {
      dead.push(letter)
      return E.right(undefined)
    },
  }
  const consume = messageConsumer({ deadLetters }, async (messages) => {
    worked.push(...messages)
    return messages.map(() => DONE)
  })
  return { dead, worked, consume }
}

describe('an event that is for another function', () => {
  test.each([
    ['a table’s stream', { eventName: 'INSERT', dynamodb: { SequenceNumber: '1', Keys: {} } }],
    ['a Kinesis stream', { eventID: 'shardId-0:1', kinesis: { sequenceNumber: '1', data: '' } }],
    ['nothing known', null],
  ])('is thrown, and nothing of it is buried or taken in: %s', async (_, record) => {
    const { dead, worked, consume } = desk()
    const [sound] = sqsEvent([count('a', '1')]).Records
    for (const Records of [[record], [sound, record]])
      await expect(consume({ Records })).rejects.toBeInstanceOf(MalformedEvent)
    expect({ dead, worked }).toEqual({ dead: [], worked: [] })
  })
})
