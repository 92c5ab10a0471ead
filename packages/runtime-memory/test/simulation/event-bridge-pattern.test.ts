/**
 * The examples are those that event-ruler documents and tests.
 *
 * Source: github.com/aws/event-ruler, README and RulerTest (2026-07).
 */
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { eventPattern, matches } from '../../src/simulation/models/event-bridge/pattern.ts'
import { InvalidEventPattern } from '../../src/simulation/models/event-bridge/pattern-value.ts'

const INSTANCE = {
  version: '0',
  id: 'ddddd4-aaaa-7777-4444-345dd43cc333',
  'detail-type': 'EC2 Instance State-change Notification',
  source: 'aws.ec2',
  account: '012345679012',
  time: '2017-10-02T16:24:49Z',
  region: 'us-east-1',
  resources: ['arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000'],
  detail: {
    'c-count': 5,
    'd-count': 3,
    'x-limit': 301.8,
    'source-ip': '10.0.0.33',
    'instance-id': 'i-000000aaaaaa00000',
    state: 'running',
  },
}

const EMPLOYEES = {
  employees: [
    { firstName: 'John', lastName: 'Doe', ids: [1234, 1000, 9999] },
    { firstName: 'Anna', lastName: 'Smith' },
    { firstName: 'Peter', lastName: 'Jones', ids: [] },
  ],
}

const matching = (pattern: unknown, event: unknown): boolean => matches(eventPattern(pattern), event)

const detail = (pattern: unknown) => ({ detail: pattern })

const employees = (pattern: unknown): boolean => matching({ employees: pattern }, EMPLOYEES)

describe('an operator', () => {
  test.each<[string, unknown, boolean]>([
    [
      'a value',
      {
        'detail-type': ['EC2 Instance State-change Notification'],
        detail: { state: ['initializing', 'running'] },
      },
      true,
    ],
    ['an element', { resources: INSTANCE.resources }, true],
    ['another value', detail({ state: ['stopped'] }), false],
    ['prefix', { time: [{ prefix: '2017-10-02' }] }, true],
    ['prefix in other case', { source: [{ prefix: { 'equals-ignore-case': 'AWS.' } }] }, true],
    ['prefix, case kept', { source: [{ prefix: 'AWS.' }] }, false],
    ['suffix', { source: [{ suffix: 'ec2' }] }, true],
    ['suffix in other case', { source: [{ suffix: { 'equals-ignore-case': 'EC2' } }] }, true],
    ['equals-ignore-case', { source: [{ 'equals-ignore-case': 'AWS.EC2' }] }, true],
    ['wildcard', { source: [{ wildcard: 'a*.e*2' }] }, true],
    ['wildcard that stands for nothing', { source: [{ wildcard: 'aws.ec2*' }] }, true],
    ['another wildcard', { source: [{ wildcard: 'a*.s3' }] }, false],
    ['anything-but', detail({ state: [{ 'anything-but': 'initializing' }] }), true],
    ['anything-but itself', detail({ state: [{ 'anything-but': 'running' }] }), false],
    ['anything-but of a number', detail({ 'x-limit': [{ 'anything-but': 123 }] }), true],
    ['anything-but of texts', detail({ state: [{ 'anything-but': ['stopped', 'overloaded'] }] }), true],
    ['anything-but of numbers', detail({ 'c-count': [{ 'anything-but': [5, 6] }] }), false],
    ['anything-but a prefix', detail({ state: [{ 'anything-but': { prefix: 'init' } }] }), true],
    ['anything-but prefixes', detail({ state: [{ 'anything-but': { prefix: ['init', 'run'] } }] }), false],
    ['anything-but a suffix', detail({ 'instance-id': [{ 'anything-but': { suffix: '1234' } }] }), true],
    [
      'anything-but suffixes',
      detail({ 'instance-id': [{ 'anything-but': { suffix: ['1234', '000'] } }] }),
      false,
    ],
    [
      'anything-but in any case',
      detail({ state: [{ 'anything-but': { 'equals-ignore-case': 'Stopped' } }] }),
      true,
    ],
    [
      'anything-but in any case of',
      detail({ state: [{ 'anything-but': { 'equals-ignore-case': ['Stopped', 'RUNNING'] } }] }),
      false,
    ],
    ['anything-but a wildcard', detail({ state: [{ 'anything-but': { wildcard: '*/bin/*.jar' } }] }), true],
    ['anything-but wildcards', detail({ state: [{ 'anything-but': { wildcard: ['x*', 'r*g'] } }] }), false],
    ['anything-but of what is absent', detail({ missing: [{ 'anything-but': 'x' }] }), false],
    ['numeric range', detail({ 'c-count': [{ numeric: ['>', 0, '<=', 5] }] }), true],
    ['numeric range that ends before', detail({ 'c-count': [{ numeric: ['>', 0, '<', 5] }] }), false],
    ['numeric bound', detail({ 'd-count': [{ numeric: ['<', 10] }] }), true],
    ['numeric equality', detail({ 'x-limit': [{ numeric: ['=', 3.018e2] }] }), true],
    ['numeric of a text', detail({ state: [{ numeric: ['>', 0] }] }), false],
    ['cidr', detail({ 'source-ip': [{ cidr: '10.0.0.0/24' }] }), true],
    ['another cidr', detail({ 'source-ip': [{ cidr: '10.0.1.0/24' }] }), false],
    ['an address', detail({ 'source-ip': ['10.0.0.33'] }), true],
    ['exists', detail({ 'c-count': [{ exists: true }] }), true],
    ['exists of what is no leaf', { detail: [{ exists: true }] }, false],
    ['absence of what is no leaf', { detail: [{ exists: false }] }, true],
    ['absence', detail({ missing: [{ exists: false }] }), true],
    ['absence of what is there', detail({ state: [{ exists: false }] }), false],
    ['a value or absence', detail({ missing: ['x', { exists: false }] }), true],
    ['a number as a text', detail({ 'c-count': ['5'] }), false],
  ])('%s', (_, pattern, expected) => {
    expect(matching(pattern, INSTANCE)).toBe(expected)
  })
  test('works on addresses of both versions, however they are written', () => {
    expect(matching({ ip: [{ cidr: '2001:db8::/32' }] }, { ip: '2001:db8:0:0::1' })).toBe(true)
    expect(matching({ ip: ['2001:db8::1'] }, { ip: '2001:0db8:0:0:0:0:0:1' })).toBe(true)
  })
  test('of a wildcard takes an escaped star and backslash as themselves', () => {
    expect(matching({ path: [{ wildcard: 'a\\*b\\\\*' }] }, { path: 'a*b\\c' })).toBe(true)
    expect(matching({ path: [{ wildcard: 'a\\*b' }] }, { path: 'axb' })).toBe(false)
  })
  test('all at once match as in the reference', () => {
    const all = {
      time: [{ prefix: '2017-10-02' }],
      detail: {
        state: [{ 'anything-but': 'initializing' }],
        'c-count': [{ numeric: ['>', 0, '<=', 5] }],
        'd-count': [{ numeric: ['<', 10] }],
        'x-limit': [{ 'anything-but': [100, 200, 300] }],
        'source-ip': [{ cidr: '10.0.0.0/8' }],
      },
    }
    expect(matching(all, INSTANCE)).toBe(true)
  })
})

describe('an array', () => {
  test('matches by any of its elements, and two fields by the same one', () => {
    expect(employees({ firstName: ['Anna'] })).toBe(true)
    expect(employees({ firstName: ['John'], ids: [1000] })).toBe(true)
    expect(employees({ firstName: ['Anna'], lastName: ['Jones'] })).toBe(false)
    expect(employees({ firstName: ['Anna'], ids: [1000] })).toBe(false)
    expect(employees(['b'])).toBe(false)
  })
  test('lacks a field in the element that was chosen before', () => {
    expect(employees({ firstName: ['Anna'], ids: [{ exists: false }] })).toBe(true)
    expect(employees({ firstName: ['Anna'], ids: [{ exists: true }] })).toBe(false)
    expect(employees({ firstName: ['John'], ids: [{ exists: false }] })).toBe(false)
  })
  test('that is empty has no value', () => {
    expect(matching({ a: [{ exists: false }] }, { a: [] })).toBe(true)
  })
  test('passes anything-but where one of its elements does', () => {
    expect(matching({ a: [{ 'anything-but': 'x' }] }, { a: ['x', 'y'] })).toBe(true)
    expect(matching({ a: [{ 'anything-but': 'x' }] }, { a: ['x'] })).toBe(false)
  })
})

describe('$or', () => {
  const either = { $or: [{ metricName: ['CPU', 'Latency'] }, { namespace: ['EC2', 'ES'] }] }
  test('holds where one of its alternatives does, together with what is beside it', () => {
    expect(matching({ source: ['cloudwatch'], ...either }, { source: 'cloudwatch', metricName: 'CPU' })).toBe(
      true,
    )
    expect(matching({ source: ['cloudwatch'], ...either }, { source: 'cloudwatch' })).toBe(false)
    expect(matching({ source: ['cloudwatch'], ...either }, { namespace: 'ES' })).toBe(false)
  })
  test('may stand beside another, and within one', () => {
    const both = { ...either, detail: { $or: [{ source: ['a'] }, { type: ['b'] }] } }
    expect(matching(both, { namespace: 'EC2', detail: { type: 'b' } })).toBe(true)
    expect(matching(both, { namespace: 'EC2', detail: { type: 'c' } })).toBe(false)
    const nested = { $or: [{ a: [1], $or: [{ b: [2] }, { c: [3] }] }, { d: [4] }] }
    expect(matching(nested, { a: 1, c: 3 })).toBe(true)
    expect(matching(nested, { a: 1 })).toBe(false)
    expect(matching(nested, { d: 4 })).toBe(true)
  })
})

test.each<[string, unknown]>([
  ['no object', ['a']],
  ['an empty object', {}],
  ['an empty array', { a: [] }],
  ['a bare value', { a: 'b' }],
  ['an operator that is none', { a: [{ like: 'b' }] }],
  ['two operators at once', { a: [{ prefix: 'b', suffix: 'c' }] }],
  ['a prefix that is no text', { a: [{ prefix: 1 }] }],
  ['stars in a row', { a: [{ wildcard: 'b**' }] }],
  ['an escape of something else', { a: [{ wildcard: '\\b' }] }],
  ['a mixed list', { a: [{ 'anything-but': ['b', 1] }] }],
  ['anything-but nothing', { a: [{ 'anything-but': [] }] }],
  ['anything-but an empty prefix', { a: [{ 'anything-but': { prefix: '' } }] }],
  ['anything-but a range', { a: [{ 'anything-but': { numeric: ['>', 1] } }] }],
  ['a range upside down', { a: [{ numeric: ['>', 5, '<', 1] }] }],
  ['a range of one end twice', { a: [{ numeric: ['<', 5, '>', 1] }] }],
  ['a number without its operator', { a: [{ numeric: [5] }] }],
  ['a network without its length', { a: [{ cidr: '10.0.0.0' }] }],
  ['a length that is too long', { a: [{ cidr: '10.0.0.0/33' }] }],
  ['existence that is neither', { a: [{ exists: 'yes' }] }],
  ['an $or of one', { $or: [{ a: ['b'] }] }],
  ['an $or of what is no object', { $or: [{ a: ['b'] }, 'c'] }],
  ['an operator as a field of $or', { $or: [{ prefix: ['b'] }, { a: ['b'] }] }],
])('%s is refused', (_, pattern) => {
  expect(() => eventPattern(pattern)).toThrow(InvalidEventPattern)
})

const leaf = fc.oneof(
  fc.constantFrom('a', 'ab', 'b', '*'),
  fc.constantFrom(0, 1, 2),
  fc.boolean(),
  fc.constant(null),
)
const name = fc.constantFrom('k', 'l', 'm')
const flat = fc.dictionary(name, leaf, { minKeys: 1, maxKeys: 3 })
const asks = fc.array(leaf, { minLength: 1, maxLength: 3 })

describe('for whatever event', () => {
  property.prop([flat, fc.dictionary(name, asks, { minKeys: 1 })])(
    'all fields have to match, and of each any value',
    (event, pattern) => {
      const expected = Object.entries(pattern).every(([field, values]) =>
        field in event ? values.includes(event[field] ?? null) : false,
      )
      expect(matching(pattern, event)).toBe(expected)
    },
  )
  property.prop([flat, name, fc.constantFrom('a', 'b', 'ab')])(
    'anything-but is the opposite of what it names, where there is a value',
    (event, field, text) => {
      for (const operator of ['prefix', 'suffix', 'equals-ignore-case', 'wildcard'])
        if (field in event)
          expect(matching({ [field]: [{ 'anything-but': { [operator]: text } }] }, event)).toBe(
            !matching({ [field]: [{ [operator]: text }] }, event),
          )
        else expect(matching({ [field]: [{ 'anything-but': { [operator]: text } }] }, event)).toBe(false)
    },
  )
  property.prop([flat, name])('a field either exists or does not', (event, field) => {
    expect(matching({ [field]: [{ exists: true }] }, event)).toBe(
      !matching({ [field]: [{ exists: false }] }, event),
    )
  })
  property.prop([flat, fc.dictionary(name, asks, { minKeys: 1 }), fc.dictionary(name, asks, { minKeys: 1 })])(
    '$or holds where one of both does',
    (event, one, other) => {
      expect(matching({ $or: [one, other] }, event)).toBe(matching(one, event) || matching(other, event))
    },
  )
  property.prop([fc.array(flat, { minLength: 1, maxLength: 4 }), fc.dictionary(name, asks, { minKeys: 1 })])(
    'an array of objects matches where one element does as a whole',
    (elements, pattern) => {
      const expected = elements.some((element) => matching({ at: pattern }, { at: element }))
      expect(matching({ at: pattern }, { at: elements })).toBe(expected)
    },
  )
})
