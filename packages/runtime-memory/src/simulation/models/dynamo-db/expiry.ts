/**
 * Time to live: items whose second has passed are still there, and are read, until a sweep takes them away, which the
 * service does within two days.
 *
 * Source: DynamoDB Developer Guide, "Using time to live (TTL) in DynamoDB" (2026-11).
 */
import { attributeOf, type Item } from './attribute.ts'
import { type DynamoDb, tableOf, type Written, written } from './state.ts'
import { keyOf, placeOf, type Table } from './table.ts'

/** What expired longer ago than this is never swept. Source: the same page. */
const FIVE_YEARS_S = 5 * 365 * 24 * 60 * 60

const isExpired = ({ ttl }: Table, item: Item, nowMs: number): boolean => {
  const value = ttl === undefined ? undefined : attributeOf(item, ttl)
  if (value === undefined || !('N' in value)) return false
  const [expiresAtS, nowS] = [Number(value.N), nowMs / 1000]
  return expiresAtS < nowS && expiresAtS > nowS - FIVE_YEARS_S
}

/** Takes away what has expired in one table, each with a record that tells who did it. */
export const sweep = (state: DynamoDb, name: string, nowMs: number): DynamoDb => {
  const table = tableOf(state, name)
  const expired = [...table.items.values()].flat().filter((item) => isExpired(table, item, nowMs))
  const changes = expired.map((item): Written => {
    const place = placeOf(table, item)
    return {
      table: name,
      partition: place.partition,
      key: keyOf(table.keys, item),
      place,
      before: item,
      after: undefined,
      isExpiry: true,
    }
  })
  return changes.length === 0 ? state : written(state, changes, { nowMs })
}
