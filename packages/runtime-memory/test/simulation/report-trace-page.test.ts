import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { tracePage } from '../../src/simulation/report/trace-page.ts'
import { SCRIPT } from '../../src/simulation/report/trace-script.ts'
import { HOSTILE, hostile, long, lostResponse } from './sample-runs.ts'

const DATA = /<script type="application\/json" id="run">(.*?)<\/script>/s

interface Data {
  readonly left: number
  readonly violation: { readonly step: number } | null
  readonly lanes: ReadonlyArray<string>
  readonly steps: ReadonlyArray<{
    readonly number: number
    readonly subject: string
    readonly next?: number | null
  }>
}
const dataOf = (page: string): Data => JSON.parse(DATA.exec(page)?.[1] ?? 'null') as Data

/** The names of the elements that a browser would open, outside of what scripts and styles hold. */
const elementsOf = (page: string): ReadonlyArray<string> =>
  [...page.replaceAll(/(<(script|style)[^>]*>).*?<\/\2>/gs, '$1').matchAll(/<([a-z][a-z0-9]*)/g)].map(
    ([, name = '']) => name,
  )

describe('whatever the texts', () => {
  property.prop([
    fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom(HOSTILE, '<!--<script>')),
  ])('the page has the same elements, and its data can be read', (text) => {
    const page = tracePage(hostile(text))
    expect(elementsOf(page)).toEqual(elementsOf(tracePage(hostile('plain'))))
    expect(DATA.exec(page)?.[1]).not.toContain('<')
    expect(dataOf(page).steps).toHaveLength(12)
  })
})

test('the data is what the run tells, with the next attempt of what deviated', () => {
  const { steps, lanes, violation, left } = dataOf(tracePage(lostResponse))
  expect(steps.map(({ subject }) => subject)).toEqual(lostResponse.steps.map(({ subject }) => subject))
  expect(steps.flatMap(({ number, next }) => (next === undefined ? [] : [[number, next]]))).toEqual([[8, 9]])
  expect(lanes).toContain('warehouse 1')
  expect({ violation, left }).toEqual({ violation: { step: 12, invariant: 'S3' }, left: 0 })
})

test('of a very long run the last steps are shown', () => {
  const { steps, left } = dataOf(tracePage(long(5100)))
  expect({ shown: steps.length, first: steps[0]?.number, left }).toEqual({
    shown: 5000,
    first: 101,
    left: 100,
  })
})

test('the page needs nothing from elsewhere', () => {
  const page = tracePage(lostResponse)
  expect(page).not.toMatch(/https?:|\ssrc=|<link|@import|url\(/)
  expect(page).toContain(
    `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"`,
  )
})

test('its script is a script, and cannot end its element', () => {
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- It is parsed, and not run.
  expect(() => new Function(SCRIPT)).not.toThrow()
  expect(SCRIPT).not.toMatch(/<\/script|<!--|innerHTML|document\.write|eval/)
})
