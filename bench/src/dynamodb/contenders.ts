/** Those that are counted beside each other on DynamoDB. */
import { castore } from './castore.ts'
import type { StoreContender } from './contender.ts'
import { equinoxJs } from './equinox-js.ts'
import { everfold } from './everfold.ts'

export const storeContenders: ReadonlyArray<StoreContender> = [everfold, castore, equinoxJs]
