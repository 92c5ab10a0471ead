/**
 * An item as a stream record shows it, in DynamoDB's typed JSON, and as plain values; every fault with its path.
 *
 * One reader for both shapes: binary values are base64 text in a Lambda event and bytes in the SDK's answers.
 */
import { E, type InputFault } from '@everfold/core'

export type PlainItem = Readonly<Record<string, unknown>>

/** The attributes of an image; `pointer` is where the image is, and begins the path of every fault. */
export const plainItem = (
  image: unknown,
  pointer: string,
): E.Either<ReadonlyArray<InputFault>, PlainItem> => {
  const faults: Array<InputFault> = []
  const item = plainMap(image, pointer, faults)
  return faults.length === 0 ? E.right(item) : E.left(faults)
}

/** A step of a JSON pointer. Source: RFC 6901, section 3. */
const step = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`

export const isObject = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === 'object' && input !== null && !Array.isArray(input)

const plainMap = (input: unknown, pointer: string, faults: Array<InputFault>): PlainItem => {
  if (!isObject(input)) {
    faults.push({ pointer, detail: 'is not an object of attributes' })
    return {}
  }
  // Not `Object.entries(...).map`, because a name such as `__proto__` has to stay a name.
  const item: Record<string, unknown> = Object.create(null)
  for (const [name, value] of Object.entries(input))
    item[name] = plainValue(value, pointer + step(name), faults)
  return item
}

const plainList = (input: unknown, pointer: string, faults: Array<InputFault>, type: Read): unknown => {
  if (Array.isArray(input)) return input.map((value, at) => type(value, `${pointer}/${at}`, faults))
  faults.push({ pointer, detail: 'is not a list' })
  return []
}

type Read = (input: unknown, pointer: string, faults: Array<InputFault>) => unknown

const plainValue: Read = (input, pointer, faults) => {
  const [type, ...more] = isObject(input) ? Object.keys(input).filter((key) => key !== '$unknown') : []
  const read = type === undefined || more.length > 0 ? undefined : READERS.get(type)
  if (type !== undefined && read !== undefined)
    return read((input as Record<string, unknown>)[type], `${pointer}/${type}`, faults)
  faults.push({ pointer, detail: 'is not one value with its type' })
  return undefined
}

const reading =
  (detail: string, value: (input: unknown) => unknown): Read =>
  (input, pointer, faults) => {
    const read = value(input)
    if (read === undefined) faults.push({ pointer, detail })
    return read
  }

const text = reading('is not text', (input) => (typeof input === 'string' ? input : undefined))

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/

const number = reading('is not a number as text', (input) =>
  typeof input === 'string' && NUMBER.test(input) ? Number(input) : undefined,
)

const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const binary = reading('is neither bytes nor base64', (input) => {
  if (input instanceof Uint8Array) return input
  return typeof input === 'string' && BASE64.test(input) ? Buffer.from(input, 'base64') : undefined
})

const listOf =
  (type: Read): Read =>
  (input, pointer, faults) =>
    plainList(input, pointer, faults, type)

const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['S', text],
  ['N', number],
  ['B', binary],
  ['BOOL', reading('is not true or false', (input) => (typeof input === 'boolean' ? input : undefined))],
  ['NULL', () => null],
  ['M', plainMap],
  ['L', listOf(plainValue)],
  ['SS', listOf(text)],
  ['NS', listOf(number)],
  ['BS', listOf(binary)],
])
