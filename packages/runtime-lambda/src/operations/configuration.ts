/** What an operator's command needs to know of a deployment: the default export of `everfold.config.ts`. */
import type { Service } from '@everfold/core'
import type { TableNames } from '../store/tables.ts'

export interface Configuration {
  readonly service: Service
  readonly tables: TableNames
  /** The SDK's own, from the environment or the profile, unless told. */
  readonly region?: string
  /** Where all services answer, such as a local one; AWS's own addresses unless told. */
  readonly endpoint?: string
  /** Where the parts of commits lie that are too large for an item, and the bodies of large messages. */
  readonly claimCheck?: { readonly bucket: string; readonly prefix?: string }
  /** Where the relay publishes events, and under which source: needed to publish them again. */
  readonly bus?: { readonly name: string; readonly source: string }
}
