/**
 * Items above DynamoDB's limit: a part of the commit is put under a claim check, the larger one first, and redeemed when
 * the item is read. The object is put before the item, so no item names one that is not there.
 */
import { deflateRawSync } from 'node:zlib'
import { E, type Fault, unavailable } from '@everfold/core'
import { DYNAMODB } from '../limits.ts'
import type { ClaimCheck } from './claim-check.ts'
import { type CommitItem, itemBytes } from './commit-item.ts'

/** The item as it is put: as it came where it fits, or with what is large behind claim checks. */
export const checkedIn = async (
  item: CommitItem,
  claimCheck: ClaimCheck | undefined,
): Promise<E.Either<Fault, CommitItem>> => {
  const sizeBytes = itemBytes(item)
  if (sizeBytes <= DYNAMODB.itemBytes) return E.right(item)
  const part = bytesOf(item.s) > bytesOf(item.a) ? 's' : 'a'
  const bytes = item[part]
  if (claimCheck === undefined || bytes === undefined)
    return E.left({ _tag: 'TooLarge', stream: item.pk, sizeBytes, limitBytes: DYNAMODB.itemBytes })
  const reference = await claimCheck.put(typeof bytes === 'string' ? deflateRawSync(bytes) : bytes)()
  if (E.isLeft(reference)) return reference
  const { [part]: _, ...rest } = item
  return checkedIn({ ...rest, [part === 's' ? 'sx' : 'ax']: reference.right }, claimCheck)
}

const bytesOf = (part: string | Uint8Array | undefined): number =>
  typeof part === 'string' ? Buffer.byteLength(part) : (part?.length ?? 0)

export type StoredItem = Readonly<Record<string, unknown>>

/** The item with what lies behind its claim checks in place. */
export const redeemed = async (
  item: StoredItem,
  claimCheck: ClaimCheck | undefined,
): Promise<E.Either<Fault, StoredItem>> => {
  const { ax, sx, ...rest } = item
  if (ax === undefined && sx === undefined) return E.right(item)
  const parts: Record<string, unknown> = {}
  for (const [part, reference] of [
    ['a', ax],
    ['s', sx],
  ] as const) {
    if (reference === undefined) continue
    // The fault of whoever reads, which a deployment mends; the commit is as good as any.
    if (claimCheck === undefined) return E.left(unavailable('the claim check: none is configured'))
    if (typeof reference !== 'string') return E.left(unreadable(item, `/${part}x`, 'is not text'))
    const bytes = await claimCheck.get(reference)()
    if (E.isLeft(bytes)) return bytes
    parts[part] = bytes.right
  }
  return E.right({ ...rest, ...parts })
}

const unreadable = ({ pk, sk }: StoredItem, pointer: string, detail: string): Fault => ({
  _tag: 'Undecodable',
  stream: pk as Extract<Fault, { readonly _tag: 'Undecodable' }>['stream'],
  commit: Number(sk),
  errors: [{ pointer, detail }],
})
