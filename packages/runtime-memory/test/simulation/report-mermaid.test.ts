import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { mermaid } from '../../src/simulation/report/mermaid.ts'
import { crash, hostile, long, lostResponse } from './sample-runs.ts'

/** What Mermaid reads as one text: nothing that ends one, begins a comment or is markup, but characters by number. */
const TEXT = String.raw`(?:[\p{L}\p{N} .,/_()@'!?+*=-]|#\d+;)+`
const LINES = [
  String.raw`participant P\d+ as ${TEXT}`,
  String.raw`P\d+(?:->>|-x)P\d+: ${TEXT}`,
  String.raw`%% ${TEXT}`,
  String.raw`Note over P\d+(?:,P\d+)?: ${TEXT}`,
]
const LINE = new RegExp(`^  (?:${LINES.join('|')})$`, 'u')

const parses = (diagram: string): void => {
  const [head, ...lines] = diagram.split('\n')
  expect(head).toBe('sequenceDiagram')
  expect(lines.pop()).toBe('')
  const declared = new Set<string>()
  for (const line of lines) {
    expect(line).toMatch(LINE)
    const [, declares] = /^ {2}participant (P\d+) /.exec(line) ?? []
    if (declares !== undefined) declared.add(declares)
    else for (const used of line.split(': ')[0]?.match(/P\d+/g) ?? []) expect(declared).toContain(used)
  }
}

const messages = (diagram: string) => diagram.split('\n').filter((line) => /^ {2}P\d+-/.test(line))

describe('whatever the texts', () => {
  test('hostile ones parse', () => {
    expect(messages(mermaid(hostile())).length).toBeGreaterThan(0)
    parses(mermaid(hostile()))
  })
  property.prop([fc.oneof(fc.string({ unit: 'binary' }), fc.string())])('the diagram parses', (text) => {
    parses(mermaid(hostile(text)))
  })
  property.prop([fc.integer({ min: 1, max: 300 })])(
    'it has 40 messages at most, and tells what it left out',
    (length) => {
      const diagram = mermaid(long(length))
      parses(diagram)
      const left = [...diagram.matchAll(/: (\d+) steps? left out/g)].reduce(
        (sum, [, count]) => sum + Number(count),
        0,
      )
      expect(messages(diagram).length).toBeLessThanOrEqual(40)
      expect(messages(diagram).length + left).toBe(length)
    },
  )
})

test('a lost response is drawn with those whom it concerns', () => {
  expect(mermaid(lostResponse)).toBe(`sequenceDiagram
  participant P1 as client 1
  participant P2 as api
  participant P3 as orders-api 1
  participant P4 as store
  participant P5 as relay 1
  participant P6 as queue
  participant P7 as warehouse 1
  P1->>P2: order order/7
  P3->>P4: read order/7 (0 commits)
  P3->>P4: append order/7@1 (stored)
  P1->>P1: has its answer order/7 (accepted)
  Note over P1,P7: 3 steps left out
  P5-xP6: send order/7@1
  Note over P5,P6: after 250 ms#58; response lost
  P5->>P6: send order/7@1 (stored)
  P7->>P4: append picking/7@1 (stored)
  Note over P1,P7: 1 step left out
  P7->>P4: append picking/7@2 (stored)
  Note over P1,P7: S3 did not hold#58; a command id has one effect, and order/7 was picked by picking/7@1 and by picking/7@2
`)
})

test.each([
  ['a crash', crash],
  ['a run without steps', { ...crash, steps: [] }],
])('%s parses too', (_, run) => {
  expect(mermaid(run)).toContain('did not hold')
  parses(mermaid(run))
})
