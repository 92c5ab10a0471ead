/**
 * What gives chance: `Math.random` and the random functions of `crypto`, which a virtual actor gets from his own
 * sequence. The machine's own function judges the arguments, and its bytes are then overwritten.
 */
import nodeCrypto from 'node:crypto'
import type { VirtualActor } from './actor.ts'
import { type Answer, type Callable, method, type Patch, replacement } from './patch.ts'
import type { Reach } from './reach.ts'
import { wallMs } from './time.ts'

const numberReach = (what: string): Reach => ({
  what,
  instead:
    'draw from the clock that you are given, `clock.random()`; a decider is given no chance, so put the number into the command.',
})

const idReach = (what: string): Reach => ({
  what,
  instead:
    'derive the id from the command id (`context.commandId`, `deriveId`), or draw from the clock that you are given, `clock.random()`.',
})

export const chancePatches = (): ReadonlyArray<Patch> => {
  const web = Object.getPrototypeOf(nodeCrypto.webcrypto) as object
  return [
    ...method([Math], 'random', (original) =>
      replacement(original, numberReach('Math.random()'), (actor) => actor.random()),
    ),
    ...Object.entries(answers).flatMap(([name, answer]) =>
      method([nodeCrypto, web], name, (original) =>
        replacement(original, idReach(`crypto.${name}()`), answer),
      ),
    ),
  ]
}

const fill = (actor: VirtualActor, bytes: Uint8Array): Uint8Array => {
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(actor.random() * 256)
  return bytes
}

const bytesOf = (buffer: ArrayBufferView | ArrayBuffer): Uint8Array =>
  ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer)

/** Answers as Node's functions do: by callback, later, where there is one. */
const answered = (callback: unknown, value: unknown): unknown => {
  if (typeof callback !== 'function') return value
  process.nextTick(callback, null, value)
  return undefined
}

/** The version in the place of four bits, the variant in that of two, and dashes. Source: RFC 9562. */
const uuidOf = (bytes: Uint8Array, version: number): string => {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4)
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const orderedUuid: Answer = (actor) => {
  const bytes = fill(actor, new Uint8Array(16))
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(wallMs(actor)) << 16n) | BigInt(bytes[7] ?? 0))
  return uuidOf(bytes, 7)
}

const randomBytes: Answer = (actor, [size, callback], original) =>
  answered(callback, fill(actor, original(size) as Uint8Array))

const randomInt: Answer = (actor, args, original) => {
  const callback = args.find((one) => typeof one === 'function')
  const limits = args.filter((one) => typeof one === 'number')
  original(...args.filter((one) => one !== callback))
  const [min, max] = limits.length === 1 ? [0, limits[0] ?? 0] : [limits[0] ?? 0, limits[1] ?? 0]
  // Two draws, because one has 32 bits and a range may have 48.
  const drawn = actor.random() + actor.random() / 2 ** 32
  return answered(callback, min + Math.min(max - min - 1, Math.floor(drawn * (max - min))))
}

/** The part of a buffer that was asked for, counted in its own elements. */
const randomFillSync: Answer = (actor, args, original) => {
  original(...args)
  const [buffer, offset = 0, size] = args as [
    ArrayBufferView & { BYTES_PER_ELEMENT?: number },
    number?,
    number?,
  ]
  const width = buffer.BYTES_PER_ELEMENT ?? 1
  const end = size === undefined ? undefined : (offset + size) * width
  fill(actor, bytesOf(buffer).subarray(offset * width, end))
  return buffer
}

const randomFill: Answer = (_actor, args) => {
  const callback = args.at(-1)
  if (typeof callback !== 'function') throw new TypeError('crypto.randomFill() takes a callback')
  // The installed one, which answers the same actor.
  const filled = (nodeCrypto.randomFillSync as unknown as Callable)(...args.slice(0, -1))
  return answered(callback, filled)
}

const getRandomValues: Answer = (actor, args, original) => {
  original(...args)
  fill(actor, bytesOf(args[0] as ArrayBufferView))
  return args[0]
}

const answers: Readonly<Record<string, Answer>> = {
  randomUUID: (actor) => uuidOf(fill(actor, new Uint8Array(16)), 4),
  randomUUIDv7: orderedUuid,
  randomBytes,
  randomInt,
  randomFillSync,
  randomFill,
  getRandomValues,
}
