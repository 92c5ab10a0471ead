import { E, integer, MAX_BODY_BYTES, record, text } from '@everfold/core'
import { arbitrary } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { decodeBody, decodeQuery, matchPath, matchRoute, pathSegments, utf8Of } from '../src/parse.ts'
import { bytes, request, routes } from './jars.ts'

const anyText = fc.string({ unit: 'binary' })
const wellFormed = fc.string({ unit: 'grapheme' })

describe('a path', () => {
  property.prop([fc.array(wellFormed, { minLength: 1 })])('is read as it was written', (segments) => {
    const path = segments.map((segment) => `/${encodeURIComponent(segment)}`).join('')
    expect(pathSegments(path)).toEqual(E.right(segments))
  })
  property.prop([anyText])('is segments or a problem, never an exception', (path) => {
    const segments = pathSegments(path)
    if (E.isLeft(segments)) expect(segments.left.status).toBe(400)
    else expect(matchRoute(routes, 'GET', segments.right)).toBeDefined()
  })
  test.each(['', 'a', '*', '%', '/%e0%a4%a', '/%ff', '/a/%zz'])('%j is malformed', (path) => {
    expect(pathSegments(path)).toMatchObject(E.left({ status: 400, errors: [{ pointer: '/path' }] }))
  })
  test('fits a template of as many segments, and gives its parameters', () => {
    expect(matchPath('/a/{x}/b', ['a', '1', 'b'])).toEqual({ x: '1' })
    expect(matchPath('/a/{__proto__}', ['a', '1'])).toEqual(Object.fromEntries([['__proto__', '1']]))
    for (const segments of [['a', '1'], ['a', '1', 'c'], ['a', '1', 'b', ''], []])
      expect(matchPath('/a/{x}/b', segments)).toBeUndefined()
  })
})

const Query = record(
  'Query',
  { name: text('Name') },
  { limit: integer('Limit', -10, 100), word: text('Word', { minLength: 0 }) },
)
const encoded = (fields: object): string =>
  Object.entries(fields)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&')

describe('a query', () => {
  property.prop([arbitrary(Query)])('is read as it was written', (fields) => {
    expect(decodeQuery(Query, encoded(fields))).toEqual(E.right(fields))
  })
  property.prop([arbitrary(Query), wellFormed, anyText])(
    'of unknown fields is refused',
    (fields, name, value) => {
      fc.pre(
        !Object.hasOwn(Query.required, name) && !Object.hasOwn(Query.optional, name) && value.isWellFormed(),
      )
      const refused = decodeQuery(Query, `${encoded(fields)}&${encoded(Object.fromEntries([[name, value]]))}`)
      const pointer = `/query/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
      expect(refused).toMatchObject(E.left({ errors: [{ pointer, detail: 'is not a known field' }] }))
    },
  )
  property.prop([anyText])('is fields or a problem, never an exception', (search) => {
    const decoded = decodeQuery(Query, search)
    if (E.isLeft(decoded)) expect(decoded.left.status).toBe(400)
  })
  test.each([
    ['name=a&name=b', '/query/name'],
    ['a~b=1&a~b=2', '/query/a~0b'],
    ['name=%ff', '/query'],
    ['name=a&', '/query/'],
    ['name=a&limit=1.5', '/query/limit'],
    ['name=a&limit=1e1', '/query/limit'],
    ['name=a&limit=', '/query/limit'],
    ['limit=1', '/query/name'],
    ['name=a&__proto__=1', '/query/__proto__'],
  ])('%j is at fault at %j', (search, pointer) => {
    expect(decodeQuery(Query, search)).toMatchObject(E.left({ errors: [{ pointer }] }))
  })
  test('writes a space as a plus or as %20', () => {
    expect(decodeQuery(Query, 'name=a+b%20c')).toEqual(E.right({ name: 'a b c' }))
  })
})

const Body = record(
  'Body',
  {},
  { words: text('Words', { minLength: 0, maxLength: 1000 }), limit: integer('Limit') },
)
const posted = (body: Uint8Array, headers = {}) => decodeBody(Body, request('POST', '/', { body, headers }))

describe('a body', () => {
  property.prop([arbitrary(Body)])('is read as it was written', (body) => {
    expect(posted(bytes(body))).toEqual(E.right(body))
  })
  property.prop([
    fc.oneof(
      fc.uint8Array(),
      fc.json().map((json) => new TextEncoder().encode(json)),
    ),
  ])('of any bytes is a value of its codec or a problem, never an exception', (body) => {
    const decoded = posted(body)
    if (E.isLeft(decoded)) expect(decoded.left.status).toBe(400)
    else expect(Body.is(decoded.right)).toBe(true)
  })
  test.each(['application/json', 'application/x-www-form-urlencoded', 'text/plain', ''])(
    'is judged by what it is, also where it says that it is %j',
    (type) => {
      expect(posted(bytes({}), { 'content-type': type })).toEqual(E.right({}))
      expect(posted(new TextEncoder().encode('a=1'), { 'content-type': type })).toMatchObject(
        E.left({ status: 400, errors: [{ pointer: '', detail: 'is not JSON in UTF-8' }] }),
      )
    },
  )
  test('has a limit', () => {
    const just = bytes({ words: '' }).length
    const padded = (size: number) => new TextEncoder().encode(`${' '.repeat(size - just)}{"words":""}`)
    expect(posted(padded(MAX_BODY_BYTES))).toEqual(E.right({ words: '' }))
    expect(posted(padded(MAX_BODY_BYTES + 1))).toMatchObject(E.left({ status: 413 }))
  })
})

describe('text in UTF-8', () => {
  property.prop([fc.uint8Array()])('is what the platform reads, or nothing at all', (input) => {
    const strict = E.tryCatch(
      () => new TextDecoder('utf-8', { fatal: true }).decode(input),
      () => undefined,
    )
    expect(utf8Of(input)).toBe(E.isRight(strict) ? strict.right : undefined)
  })
  test('may hold the very sign that stands for what cannot be read', () => {
    expect(utf8Of(new TextEncoder().encode('a\ufffdb'))).toBe('a\ufffdb')
  })
})
