/** A run, as a test to keep. */
import type { Json } from '@everfold/core'
import type { Request, Run } from '../run.ts'
import { printable } from './printable.ts'

export interface RegressionOptions {
  /** The user's simulation: its name and the module that exports it. */
  readonly simulation: { readonly name: string; readonly from: string }
  /** What was mended; the invariant unless told. */
  readonly title?: string
}

/**
 * The source of a test of vitest, ready to paste, that replays the run and holds once the failure is mended. It names the
 * deviations and the requests in full, so it needs neither the seed nor the workload to stay as they are.
 */
export const regressionTest = (run: Run, { simulation, title }: RegressionOptions): string => {
  const { plan, requests, violation } = run
  const what = title ?? `${promise(violation?.invariant)} with seed ${plan.seed}`
  const types = requests.length === 0 ? [] : ["import type { CommandId, StreamName } from '@everfold/core'"]
  return [
    ...types,
    "import { replayed } from '@everfold/runtime-memory/simulation'",
    "import { test } from 'vitest'",
    `import { ${simulation.name} } from ${text(simulation.from)}`,
    '',
    `test(${text(what)}, async () => {`,
    ...(violation === undefined ? [] : printedComment(violation.message)),
    '  const plan = {',
    `    seed: ${text(plan.seed)},`,
    ...deviations(plan.deviations),
    '  }',
    `  const requests: Parameters<typeof ${simulation.name}.replay>[1] = [${requests.length === 0 ? ']' : ''}`,
    ...(requests.length === 0 ? [] : [...requests.flatMap(requestLines), '  ]']),
    `  await replayed(${simulation.name}, plan, requests)`,
    '})',
    '',
  ].join('\n')
}

/** What holds, as a sentence. */
const promise = (invariant: string | undefined): string => {
  if (invariant === undefined) return 'everything holds'
  if (invariant === 'handler') return 'no handler is at fault'
  if (invariant === 'history') return 'the history has an order that explains it'
  return `${invariant} holds`
}

/** Of one line, and with nothing in it that ends a line. */
const printedComment = (message: string): ReadonlyArray<string> => [
  `  // Once: ${printable(message.replaceAll(/\s+/g, ' ').trim())}`,
]

const deviations = (entries: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  if (entries.size === 0) return ['    deviations: new Map<string, string>(),']
  const lines = [...entries].map(([key, deviation]) => `[${text(key)}, ${text(deviation)}]`)
  const single = `    deviations: new Map([${lines.join('')}]),`
  if (lines.length === 1 && single.length <= 110) return [single]
  return ['    deviations: new Map([', ...lines.map((line) => `      ${line},`), '    ]),']
}

const requestLines = ({
  client,
  id,
  aggregate,
  stream,
  command,
  afterMs,
}: Request): ReadonlyArray<string> => [
  '    {',
  `      client: ${text(client)},`,
  `      id: ${text(id)} as CommandId,`,
  `      aggregate: ${text(aggregate)},`,
  `      stream: ${text(stream)} as StreamName,`,
  `      command: ${literal(command)},`,
  `      afterMs: ${afterMs},`,
  '    },',
]

/** A text in single quotes, or in double ones where it has single ones alone. */
const text = (value: string): string => {
  const json = JSON.stringify(value).replaceAll(
    /[\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16)}`,
  )
  if (value.includes("'") && !value.includes('"')) return json
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

const literal = (value: Json): string => {
  if (typeof value === 'string') return text(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(literal).join(', ')}]`
  const fields = Object.entries(value).map(([name, field]) => `${fieldName(name)}: ${literal(field)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

/** In brackets, `__proto__` is a field like any other. */
const fieldName = (name: string): string => {
  if (name === '__proto__') return "['__proto__']"
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name)
}

const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)
