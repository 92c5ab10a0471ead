/**
 * How many bytes an item counts.
 *
 * Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats" (2026-11).
 */
import { type AttributeValue, contentOf, type Item, typeOf } from './attribute.ts'
import { digitPairs } from './decimal.ts'

/** Items never change, so that one count will do. */
const counted = new WeakMap<Item, number>()

export const itemBytes = (item: Item): number => {
  const known = counted.get(item)
  if (known !== undefined) return known
  const size = mapBytes(item)
  counted.set(item, size)
  return size
}

const mapBytes = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0)

/** What a list or a map takes, and each of its elements, beside what is in them. */
const DOCUMENT_BYTES = 3
const ELEMENT_BYTES = 1

export const valueBytes = (value: AttributeValue): number => {
  const content = contentOf(value)
  switch (typeOf(value)) {
    case 'S':
      return Buffer.byteLength(content as string)
    case 'N':
      return numberBytes(content as string)
    case 'B':
      return Buffer.byteLength(content as string, 'base64')
    case 'BOOL':
    case 'NULL':
      return 1
    case 'SS':
      return sum(content as ReadonlyArray<string>, (one) => Buffer.byteLength(one))
    case 'NS':
      return sum(content as ReadonlyArray<string>, numberBytes)
    case 'BS':
      return sum(content as ReadonlyArray<string>, (one) => Buffer.byteLength(one, 'base64'))
    case 'L':
      return (
        DOCUMENT_BYTES +
        sum(content as ReadonlyArray<AttributeValue>, (one) => ELEMENT_BYTES + valueBytes(one))
      )
    case 'M':
      return DOCUMENT_BYTES + Object.keys(content as Item).length * ELEMENT_BYTES + mapBytes(content as Item)
  }
}

/** "Approximately": one byte for each two significant digits, and one more, and one for a sign. */
const numberBytes = (number: string): number => digitPairs(number) + 1 + (number.startsWith('-') ? 1 : 0)

const sum = <A>(values: ReadonlyArray<A>, bytes: (value: A) => number): number =>
  values.reduce((total, value) => total + bytes(value), 0)
