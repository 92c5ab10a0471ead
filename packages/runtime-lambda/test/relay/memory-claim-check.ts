/** A claim check in memory, content-addressed as the one in S3 is. */
import { createHash } from 'node:crypto'
import { E, unavailable } from '@everfold/core'
import type { ClaimCheck } from '../../src/store/claim-check.ts'

export const memoryClaimCheck = () => {
  const objects = new Map<string, Uint8Array>()
  const claimCheck: ClaimCheck = {
    put: (bytes) => async () => {
      const reference = createHash('sha256').update(bytes).digest('hex')
      objects.set(reference, bytes)
      return E.right(reference)
    },
    get: (reference) => async () => {
      const bytes = objects.get(reference)
      return bytes === undefined ? E.left(unavailable(`the object ${reference}`)) : E.right(bytes)
    },
  }
  return { claimCheck, objects }
}
