/** Where a replay keeps what it makes: in memory, unless told otherwise. */
import type { VirtualKernel } from '@everfold/runtime-memory'
import type { HouseOptions } from '../house.ts'

export interface Storage {
  /** The time of the newest commit that is there already, in milliseconds since 1970: time goes on from there. */
  readonly reachedMs: number
  /** What the house needs to stand on it. */
  house(this: void, kernel: VirtualKernel): Pick<HouseOptions, 'ports' | 'pollMs' | 'connect' | 'ledger'>
  /** Resolves when everything is published that is to be. */
  published(this: void): Promise<void>
  close(this: void): Promise<void>
}

export const inMemory: Storage = {
  reachedMs: 0,
  house: () => ({}),
  published: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

/** The file does not say where services are. */
export class Unreadable extends Error {}

/** This machine lacks what the storage needs. */
export class Unstartable extends Error {}
