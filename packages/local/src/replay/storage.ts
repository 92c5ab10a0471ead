/** Where a replay keeps what it makes: in memory, unless told otherwise. */
import type { HouseOptions } from '../house.ts'

export interface Storage {
  /** What the house needs to stand on it. */
  readonly house: Pick<HouseOptions, 'ports' | 'pollMs' | 'connect' | 'ledger'>
  /** Resolves when everything is published that is to be. */
  published(this: void): Promise<void>
  close(this: void): Promise<void>
}

export const inMemory: Storage = {
  house: {},
  published: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

/** The file does not say where services are. */
export class Unreadable extends Error {}
