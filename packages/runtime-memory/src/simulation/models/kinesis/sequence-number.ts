/**
 * Sequence numbers: 56 digits that grow within a shard, and from a shard to those that it was split into.
 *
 * Ours hold when the shard began, its number, the place in it and when the record came, in this order, so that they sort
 * as texts too. AWS promises the order within a shard and nothing about the digits.
 */
export interface SequenceParts {
  /** When the shard began; a child's is later than its parents'. */
  readonly shardSeconds: number
  readonly shardNumber: number
  /** 1, 2, 3, ... within the shard. */
  readonly place: number
  readonly seconds: number
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0').slice(-digits)

export const sequenceNumberOf = ({ shardSeconds, shardNumber, place, seconds }: SequenceParts): string =>
  BigInt(
    `0x2${hex(shardSeconds, 9)}${hex(shardNumber, 1)}${hex(place, 16)}02${hex(seconds, 9)}${hex(shardNumber, 8)}2`,
  ).toString()

/** Whether a text may be a sequence number at all. */
export const isSequenceNumber = (text: string): boolean => /^(?:0|[1-9]\d{0,128})$/.test(text)

/** Whether the first comes before the second. */
export const precedes = (first: string, second: string): boolean =>
  first.length === second.length ? first < second : first.length < second.length

/** The smallest number behind this one. */
export const behind = (sequenceNumber: string): string => String(BigInt(sequenceNumber) + 1n)
