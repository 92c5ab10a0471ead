/** Views of the units that were received, for tests of whatever a projector writes to. */
import { type Commit, deriveId, from, type Projection, type StreamName, streamName } from '@everfold/core'
import { Stock } from '@everfold/ecommerce'

const counting = (name: string, rowsOf: (stream: StreamName) => ReadonlyArray<string>): Projection => ({
  name,
  generation: '1',
  sources: [
    from(Stock.aggregate, ({ stream, event }) => {
      const { units = 0 } = event as { readonly units?: number }
      return rowsOf(stream).map((pk) => ({
        pk,
        sk: 'UNITS',
        change: (value) => Number(value ?? 0) + units,
      }))
    }),
  ],
})

/** One row for each SKU. */
export const ofEach = counting('of-each', (stream) => [stream])

/** One row for each SKU, and one that all of them shape. */
export const ofAll = counting('of-all', (stream) => [stream, 'all'])

export const received = (sku: string, number: number, units: number): Commit => {
  const stream = streamName(Stock.aggregate.name, sku)
  const id = deriveId(0, stream, String(number))
  const events = [{ _tag: 'StockReceived', units }]
  const answer = { id, fingerprint: '1', timeMs: 0, metadata: { correlationId: id }, events }
  return { stream, number, version: number, timeMs: 0, latestIdMs: 0, answers: [answer] }
}
