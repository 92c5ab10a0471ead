/** Simulated Kinesis: its streams, which tell whoever listens of new records and of shards that were split or merged. */
import type { ListedShard } from '../../../models/event-source-mapping/index.ts'
import type { KinesisState } from '../../../models/kinesis/request.ts'
import {
  isOpen,
  recordsAfter,
  type StoredRecord,
  type Stream,
  shards,
} from '../../../models/kinesis/stream.ts'
import { kinesisWire } from '../../../sdk/kinesis.ts'
import { kinesisSubject } from '../subjects.ts'
import type { Endpoint } from '../transport.ts'
import type { Service } from './service.ts'

/** Told of the shards of a stream, each after its parents, and what is new in them. */
type StreamRecordsListener = (
  listed: ReadonlyArray<ListedShard>,
  records: ReadonlyArray<{ readonly shard: string; readonly record: StoredRecord }>,
) => void

export interface KinesisService extends Service<KinesisState> {
  records(this: void, stream: string, listener: StreamRecordsListener): void
}

export const kinesisService = (initial: KinesisState): KinesisService => {
  let state = initial
  const listeners = new Map<string, Array<StreamRecordsListener>>()
  const told = new Map<string, string>()
  const newsOf = (stream: Stream) =>
    shards(stream).flatMap(({ id: shard }) => {
      const place = `${stream.name} ${shard}`
      const news = recordsAfter(stream, shard, told.get(place))
      const last = news.at(-1)
      if (last !== undefined) told.set(place, last.sequenceNumber)
      return news.map((record) => ({ shard, record }))
    })
  const endpoint: Endpoint = {
    name: 'kinesis',
    target: 'Kinesis_',
    subjectOf: kinesisSubject,
    offers: (request) => kinesisWire.offers(state, request),
    step: (request, at) => {
      const before = state
      const stepped = kinesisWire.wire(before, request, at)
      state = stepped.state
      for (const [name, stream] of state.streams) {
        const waiting = listeners.get(name)
        if (waiting === undefined || stream === before.streams.get(name)) continue
        const records = newsOf(stream)
        for (const listener of waiting) listener(listedOf(stream), records)
      }
      return stepped.answer
    },
  }
  return {
    endpoints: [endpoint],
    state: () => state,
    records: (stream, listener) => {
      const waiting = listeners.get(stream)
      if (waiting === undefined) listeners.set(stream, [listener])
      else waiting.push(listener)
    },
  }
}

const listedOf = (stream: Stream): ReadonlyArray<ListedShard> =>
  shards(stream).map((shard) => ({
    shard: shard.id,
    parents: [shard.parent, shard.adjacentParent].filter((parent) => parent !== undefined),
    closed: !isOpen(shard),
  }))
