/**
 * Smaller values in place of a JSON value, the smallest first: whole numbers toward 0, shorter texts and lists, absent
 * fields, then plainer characters and smaller values inside. Whether one is still a valid command is its codec's to judge.
 *
 * Law: no value is proposed in place of itself, and no sequence of proposals goes on for ever.
 */
import type { Json } from '@everfold/core'
import { shorter } from './minimal.ts'

export function* smaller(value: Json): Generator<Json> {
  if (value === true) yield false
  else if (typeof value === 'number') yield* smallerNumbers(value)
  else if (typeof value === 'string') yield* shorterTexts(value)
  else if (isList(value)) yield* smallerLists(value)
  else if (typeof value === 'object' && value !== null) yield* smallerObjects(value)
}

/** 0, 1, the number without a fraction or a sign, then by halves of the way to 0 back to its neighbour. */
export function* smallerNumbers(value: number): Generator<number> {
  const size = Math.abs(value)
  if (size === 0) return
  yield 0
  if (size > 1 || value === -1) yield 1
  if (!Number.isInteger(value) && size > 1) yield Math.trunc(value)
  if (value < -1) yield size
  if (!Number.isInteger(value)) return
  for (let gap = Math.trunc(value / 2); gap !== 0; gap = Math.trunc(gap / 2)) {
    const next = value - gap
    // Beyond the safe integers a number can be its own neighbour.
    if (next === value) return
    if (Math.abs(next) > 1) yield next
  }
}

function* shorterTexts(value: string): Generator<string> {
  // By code points, so that no character is cut in two.
  const characters = Array.from(value)
  for (const kept of shorter(characters)) yield kept.join('')
  // What is not ASCII gives way to what everybody can read and type: all of it at once, then one by one.
  const plain = characters.map((character) => (isPlain(character) ? character : 'A'))
  const odd = characters.flatMap((character, at) => (isPlain(character) ? [] : [at]))
  if (odd.length > 1) yield plain.join('')
  for (const at of odd) yield characters.with(at, 'A').join('')
}

const isPlain = (character: string): boolean => /^[ -~]$/.test(character)

function* smallerLists(list: ReadonlyArray<Json>): Generator<Json> {
  yield* shorter(list)
  for (const [at, item] of list.entries()) for (const less of smaller(item)) yield list.with(at, less)
}

function* smallerObjects(value: Fields): Generator<Json> {
  const entries = Object.entries(value)
  // The tag says which fields there are, so what lacks it is never worth a question.
  const optional = entries.filter(([name]) => name !== '_tag')
  const tag = entries.filter(([name]) => name === '_tag')
  for (const kept of shorter(optional)) yield Object.fromEntries([...tag, ...kept])
  for (const [name, field] of optional)
    for (const less of smaller(field))
      yield Object.fromEntries(entries.map(([key, old]) => [key, key === name ? less : old]))
}

type Fields = { readonly [name: string]: Json }

const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)
