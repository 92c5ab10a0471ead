/**
 * Replacements of properties, put in their places and taken out again.
 *
 * A method is replaced on the object that holds it, so that whoever keeps the object finds the replacement. One that
 * was kept from an earlier installation passes everything on.
 */
import { caller, type VirtualActor } from './actor.ts'
import { type Reach, refuse } from './reach.ts'

export interface Patch {
  readonly target: object
  readonly key: PropertyKey
  /** What stands there for as long as the globals are installed. */
  readonly descriptor: PropertyDescriptor
}

export type Callable = (this: unknown, ...args: ReadonlyArray<unknown>) => unknown

/** What a virtual actor gets for his arguments; `original` is what he would get outside, and judges them. */
export type Answer = (actor: VirtualActor, args: ReadonlyArray<unknown>, original: Callable) => unknown

/** Puts the replacements in place; the function it answers restores what was there, exactly. */
export const applied = (patches: ReadonlyArray<Patch>): (() => void) => {
  const before = patches.map(({ target, key }) => Object.getOwnPropertyDescriptor(target, key))
  for (const { target, key, descriptor } of patches) Object.defineProperty(target, key, descriptor)
  return () => {
    for (const [index, { target, key }] of patches.entries()) {
      const descriptor = before[index]
      if (descriptor !== undefined) Object.defineProperty(target, key, descriptor)
    }
  }
}

/**
 * Passes on outside an actor; within, refuses the guarded, and the virtual too where there is no answer. Looks like the
 * original, `except` for these properties.
 */
export const replacement = (
  original: Callable,
  reach: Reach,
  answer?: Answer,
  except?: PropertyDescriptorMap,
): Callable => {
  const replaced: Callable = function (...args) {
    const actor = caller()
    if (actor === undefined) return Reflect.apply(original, this, args)
    if (answer !== undefined && actor.globals === 'virtual')
      return answer(actor, args, (...given) => Reflect.apply(original, this, given))
    refuse(actor, reach, replaced)
    return Reflect.apply(original, this, args)
  }
  return dressed(replaced, original, except)
}

/** Gives a replacement the name, the length and whatever else the original has. */
export const dressed = <Replacement extends object>(
  replaced: Replacement,
  original: object,
  except: PropertyDescriptorMap = {},
): Replacement => {
  const { prototype: _, ...own } = Object.getOwnPropertyDescriptors<PropertyDescriptorMap>(original as never)
  return Object.defineProperties(replaced, { ...own, ...except })
}

/** Replaces a method wherever it stands: the same function under the same name, on each of the targets that has it. */
export const method = (
  targets: ReadonlyArray<object>,
  key: PropertyKey,
  replace: (original: Callable) => unknown,
): ReadonlyArray<Patch> => {
  const made = new Map<unknown, unknown>()
  return targets.flatMap((target) => {
    const descriptor = Object.getOwnPropertyDescriptor(target, key)
    const original: unknown = descriptor?.value
    if (descriptor?.configurable !== true || typeof original !== 'function') return []
    const value = made.get(original) ?? replace(original as Callable)
    made.set(original, value)
    return [{ target, key, descriptor: { ...descriptor, value } }]
  })
}

/** Replaces what a getter answers. */
export const getter = (
  target: object,
  key: PropertyKey,
  replace: (original: Callable) => Callable,
): ReadonlyArray<Patch> => {
  const descriptor = Object.getOwnPropertyDescriptor(target, key)
  const original: unknown = Reflect.get(descriptor ?? {}, 'get')
  if (descriptor?.configurable !== true || typeof original !== 'function') return []
  return [{ target, key, descriptor: { ...descriptor, get: replace(original as Callable) } }]
}
