/** What a history says of one place of a stream: who tried to append there, and who read what there. */

/** No operation. */
export const NOBODY = -1

export interface Attempt {
  /** Its index in the history. */
  readonly operation: number
  readonly value: string
  readonly failed: boolean
}

/** Filled in while the history is gone through. */
export interface Place {
  readonly stream: string
  readonly number: number
  readonly attempts: Array<Attempt>
  /** What was read here, by reads that show nothing odd here. */
  seen: string | undefined
  /** Of the reads that showed it, the one that was answered first and the one that was answered last. */
  firstSeenBy: number
  firstSeenAt: number
  lastSeenBy: number
  lastSeenAt: number
  /** Two reads showed two values here, and both may be right. */
  contested: boolean
  /** A read showed here what cannot be here. */
  odd: boolean
  /** What is stored here; undefined where nobody knows that anything is. */
  value: string | undefined
  /** The append that this place's order hangs on; NOBODY where it is unknown which one wrote it. */
  writer: number
  /** Since when it was known that something is stored here, and who knew it. */
  storedAt: number
  storedBy: number
  /** The same of this place or any higher one, because those below a stored one are stored too. */
  knownAt: number
  knownBy: number
  lost: boolean
}

const newPlace = (stream: string, number: number): Place => ({
  stream,
  number,
  attempts: [],
  seen: undefined,
  firstSeenBy: NOBODY,
  firstSeenAt: Number.POSITIVE_INFINITY,
  lastSeenBy: NOBODY,
  lastSeenAt: Number.NEGATIVE_INFINITY,
  contested: false,
  odd: false,
  value: undefined,
  writer: NOBODY,
  storedAt: Number.POSITIVE_INFINITY,
  storedBy: NOBODY,
  knownAt: Number.POSITIVE_INFINITY,
  knownBy: NOBODY,
  lost: false,
})

export interface Stream {
  readonly name: string
  /** By number. */
  readonly at: Map<number, Place>
  /** In ascending order once the history was gone through. */
  readonly places: Array<Place>
  /** Those with a known writer, in ascending order: what dependencies are drawn from. */
  written: ReadonlyArray<Place>
}

/** Whether a number can name a place at all. */
export const isPlace = (number: number): boolean => Number.isSafeInteger(number) && number >= 1

export const placeAt = (stream: Stream, number: number): Place => {
  const known = stream.at.get(number)
  if (known !== undefined) return known
  const place = newPlace(stream.name, number)
  stream.at.set(number, place)
  stream.places.push(place)
  return place
}

/** Who shows that it is there; where nobody does, who must have put it there, and who shows a later one. */
export const evidence = ({ storedBy, writer, knownBy }: Place): ReadonlyArray<number> =>
  storedBy === NOBODY ? [writer, knownBy] : [storedBy]

/** Of places in ascending order, the index of the first at this number or above. */
export const firstFrom = (places: ReadonlyArray<Place>, number: number): number => {
  let [low, high] = [0, places.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((places[middle]?.number ?? 0) < number) low = middle + 1
    else high = middle
  }
  return low
}
