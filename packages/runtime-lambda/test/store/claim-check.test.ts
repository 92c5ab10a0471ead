import type { S3Client } from '@aws-sdk/client-s3'
import { E } from '@everfold/core'
import { expect, test } from 'vitest'
import { s3ClaimCheck } from '../../src/store/claim-check.ts'
import { instantClock } from '../instant-clock.ts'

const fails = (): never => {
  throw new Error('no credentials yet')
}

test.each([
  ['at once', fails],
  ['later', async () => fails()],
])(
  'a client that could not be made is made again at the next use, and then is kept: %s',
  async (_, broken) => {
    let made = 0
    const client = () => (++made === 1 ? broken() : ({ send: async () => ({}) } as unknown as S3Client))
    const claimCheck = s3ClaimCheck({ bucket: 'claims', clock: instantClock(), client })
    const put = () => claimCheck.put(new Uint8Array([1]))()
    expect(await put()).toMatchObject({ left: { _tag: 'Unavailable' } })
    for (let use = 0; use < 2; use += 1) expect(await put()).toEqual(E.right(expect.any(String)))
    expect(made).toBe(2)
  },
)
