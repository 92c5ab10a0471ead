import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type Asked, countOf, dateOf, requestOf } from '../../src/cli/arguments.ts'
import { Misuse } from '../../src/cli/failure.ts'
import { perform } from '../../src/cli/perform.ts'
import { COMMANDS, type CommandName, helpOf, overview } from '../../src/cli/usage.ts'
import { CONFIG } from './everfold.ts'

const asked = (...args: ReadonlyArray<string>): Asked => {
  const request = requestOf(args)
  if (request._tag === 'Help') throw new Error('asked for help')
  return request
}

describe('what is asked', () => {
  property.prop([
    fc.array(
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          ...Object.keys(COMMANDS),
          'create',
          'list',
          '--json',
          '--stream',
          '--from',
          '--help',
          '1',
        ),
      ),
      { maxLength: 5 },
    ),
  ])('is a request or a misuse with words, never anything else', (args) => {
    try {
      expect(['Help', 'Run']).toContain(requestOf(args)._tag)
    } catch (error) {
      expect(error).toBeInstanceOf(Misuse)
      expect((error as Misuse).message).not.toBe('')
    }
  })

  test.each([
    ['strem', 'There is no command "strem".'],
    ['toString', 'There is no command "toString".'],
    ['stream', '<stream> is missing.'],
    ['stream  ', '<stream> is missing.'],
    ['stream a b', '"b" is one argument too many.'],
    ['stream a --form 1', "Unknown option '--form'"],
    ['stream a --json=1', "Option '--json' does not take an argument"],
    ['tables', 'create or check is missing.'],
    ['tables drop', '"drop" is neither create nor check.'],
    ['dead-letters purge', '"purge" is neither list nor replay.'],
    ['republish 2026', '"2026" is one argument too many.'],
  ])('%s is refused: %s', (line, message) => {
    expect(() => requestOf(line.split(' '))).toThrow(message)
  })

  test('is help wherever it stands', () => {
    expect(requestOf([])).toEqual({ _tag: 'Help' })
    expect(requestOf(['--help'])).toEqual({ _tag: 'Help' })
    for (const command of Object.keys(COMMANDS) as ReadonlyArray<CommandName>) {
      expect(requestOf([command, '--help'])).toEqual({ _tag: 'Help', command })
      expect(requestOf(['help', command])).toEqual({ _tag: 'Help', command })
    }
  })
})

describe('a number', () => {
  property.prop([fc.integer({ min: 1 })])('from 1 on is taken', (count) => {
    expect(countOf(asked('stream', 'a/b', '--from', String(count)), 'from')).toBe(count)
  })
  test.each(['0', '01x', '-1', '1.5', '1e3', ' 1', '99999999999999999999', 'NaN', ''])(
    '%j is none',
    (text) => {
      expect(() => countOf(asked('stream', 'a/b', `--from=${text}`), 'from')).toThrow(Misuse)
    },
  )
})

const since = (text: string) => dateOf(asked('republish', '--since', text), 'since')

describe('a date', () => {
  property.prop([fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })])(
    'of ISO 8601 is the time that it says',
    (date) => {
      expect(since(date.toISOString())).toBe(date.getTime())
      const day = date.toISOString().slice(0, 10)
      expect(since(day)).toBe(Date.parse(`${day}T00:00:00.000Z`))
    },
  )
  test.each([
    'yesterday',
    '2026',
    '2026-13-01',
    '2026-02-30',
    '2026-11-23T09:00',
    '2026-11-23T25:00Z',
    '1795000000',
  ])('%s is none', (text) => {
    expect(() => since(text)).toThrow('is not a date like')
  })
})

test('the help fits a terminal of 80 columns, and says of every command whether it writes', () => {
  for (const text of [overview(), ...(Object.keys(COMMANDS) as ReadonlyArray<CommandName>).map(helpOf)])
    for (const line of text.split('\n')) expect(line.slice(80)).toBe('')
  for (const { details } of Object.values(COMMANDS)) expect(details).toMatch(/\bWRITES\b|\breads\b/)
})

describe('before anything is read', () => {
  test.each([
    [['stream', 'order'], '"order" is no stream: it should be category/id'],
    [['stream', 'order/1', '--from', '3', '--to', '2'], '--from 3 is behind --to 2.'],
    [['state', 'order/1', '--at', '0'], '--at "0" is not a whole number from 1 on.'],
    [['why', 'x', '--stream', 'order/1'], '"x" is no command id.'],
    [['why', 'x', '--stream', 'order/1', '--request', 'orders'], 'is not a method and a path'],
    [['why', 'x', '--stream', 'order/1', '--request', 'POST /%'], 'is not percent-encoded UTF-8'],
    [['why', 'x', '--stream', 'order/1', '--user', 'ann'], '--user is for an Idempotency-Key'],
    [['why', 'x'], '--stream is missing.'],
    [['rebuild', 'orders', '--segments', '0'], '--segments "0" is not a whole number from 1 to 256.'],
    [['rebuild', 'sales'], 'The service has no projection "sales".'],
    [['rebuild', 'orders', '--generation', '2'], 'The service lists no generation "2" of orders.'],
    [['republish'], '--since is missing.'],
    [['republish', '--since', '2026-11-02', '--until', '2026-11-01'], '--since is behind --until'],
    [['republish', '--since', '2026-11-02', '--category', 'ordr'], 'The service has no category "ordr".'],
    [['dead-letters', 'list', '--queue', 'dead'], '--queue "dead" is not the URL of a queue.'],
    [['dead-letters', 'list', '--queue', 'http://q', '--to', 'http://w'], '--to is for replay.'],
    [
      ['dead-letters', 'replay', '--queue', 'http://q', '--to', 'http://q'],
      '--to is the dead-letter queue itself.',
    ],
    [['stream', 'order/1', '--endpoint', 'nowhere'], '--endpoint "nowhere" is not a URL.'],
    [['stream', 'order/1', '--config', '/nowhere.ts'], 'There is no configuration /nowhere.ts.'],
  ])('%j is refused: %s', async (args, words) => {
    const outcome = perform(args.includes('--config') ? args : [...args, '--config', CONFIG])
    await expect(outcome).rejects.toThrow(words)
    await expect(outcome).rejects.toBeInstanceOf(Misuse)
  })
})
