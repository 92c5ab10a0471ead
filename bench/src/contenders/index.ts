/**
 * Every contender by its name, loaded only when asked for: a process that measures one pair should have
 * compiled nothing of the others.
 */
import type { Contender } from '../contender.ts'

export const contenders = {
  everfold: async () => (await import('./everfold.ts')).everfold,
  floor: async () => (await import('./floor.ts')).floor,
  castore: async () => (await import('./castore.ts')).castore,
  emmett: async () => (await import('./emmett.ts')).emmett,
  'equinox-js': async () => (await import('./equinox-js.ts')).equinoxJs,
} satisfies Record<string, () => Promise<Contender>>

export type ContenderName = keyof typeof contenders

export const isContenderName = (name: string): name is ContenderName => Object.hasOwn(contenders, name)
