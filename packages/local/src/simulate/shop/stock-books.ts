/**
 * Stock kept by other books: what the events on record say, added up without the aggregate's own fold, and what has to
 * hold of it after every commit. The letters are those of the domain's page.
 */
import { type Commit, streamParts } from '@everfold/core'
import type { Stock } from '@everfold/ecommerce'
import { alwaysOverall, type Invariant, type Overview } from '@everfold/runtime-memory/simulation'

interface Held {
  readonly owner: string
  readonly units: number
}

/** One item. */
export interface StockBook {
  onHand: number
  limit: number
  readonly reserved: Map<string, Held>
  readonly allocated: Map<string, Held>
}

export interface StockBooks {
  /** Reads what is new on record. */
  read(this: void, overview: Overview): ReadonlyMap<string, StockBook>
  readonly invariants: ReadonlyArray<Invariant>
}

type Letter = 'K1' | 'K2' | 'K4' | 'K5'

export const stockBooks = (): StockBooks => {
  const books = new Map<string, StockBook>()
  const faults = new Map<Letter, string>()
  let read = 0
  const catchUp = ({ log }: Overview): ReadonlyMap<string, StockBook> => {
    for (; read < log.length; read += 1) {
      const commit = log[read]
      if (commit === undefined || streamParts(commit.stream).category !== 'stock') continue
      const book = bookOf(books, streamParts(commit.stream).id)
      for (const [letter, why] of taken(book, commit)) if (!faults.has(letter)) faults.set(letter, why)
    }
    return books
  }
  const judged = (letter: Letter, words: string): Invariant =>
    alwaysOverall(`${letter} ${words}`, (overview) => {
      catchUp(overview)
      return faults.get(letter) ?? true
    })
  return {
    read: catchUp,
    invariants: [
      judged('K1', 'onHand = received + adjusted + restocked - shipped, and is never below zero'),
      judged('K2', 'available = onHand - reserved - allocated >= -backorderLimit'),
      judged('K4', 'a reservation ends at most once: released, expired or allocated'),
      judged(
        'K5',
        "nobody is refused what is free, and a shopper's own reservation never blocks that shopper",
      ),
    ],
  }
}

const bookOf = (books: Map<string, StockBook>, id: string): StockBook => {
  let book = books.get(id)
  if (book === undefined)
    books.set(id, (book = { onHand: 0, limit: 0, reserved: new Map(), allocated: new Map() }))
  return book
}

type Fault = readonly [letter: Letter, why: string]

const taken = (book: StockBook, { stream, number, answers }: Commit): ReadonlyArray<Fault> => {
  const faults: Array<Fault> = []
  for (const answer of answers) {
    const where = `${stream}@${number}`
    for (const event of answer.events as unknown as ReadonlyArray<Stock.StockEvent>) {
      const fault = happened(book, event)
      if (fault !== undefined) faults.push(['K4', `${where}: ${fault}`])
      // An event that frees comes before the one that takes, so it holds after each.
      if (free(book) < -book.limit) faults.push(['K2', `${where} leaves ${free(book)} available`])
      if (book.onHand < 0) faults.push(['K1', `${where} leaves ${book.onHand} on hand`])
    }
    const refused = 'rejection' in answer ? vainly(book, answer.rejection as Rejection) : undefined
    if (refused !== undefined) faults.push(['K5', `${where}: ${refused}`])
  }
  return faults
}

type Rejection = Stock.StockRejection

export const held = (of: ReadonlyMap<string, Held>): number =>
  [...of.values()].reduce((sum, { units }) => sum + units, 0)

const free = ({ onHand, reserved, allocated }: StockBook): number => onHand - held(reserved) - held(allocated)

/** Answers what cannot be: the end of a reservation that is not live. */
const happened = (book: StockBook, event: Stock.StockEvent): string | undefined => {
  switch (event._tag) {
    case 'StockReceived':
    case 'StockRestocked':
      book.onHand += event.units
      return undefined
    case 'StockAdjusted':
      book.onHand += event.delta
      return undefined
    case 'StockReserved':
      book.reserved.set(event.reservationId, { owner: event.shopper ?? event.orderId, units: event.units })
      return undefined
    case 'ReservationReleased':
    case 'ReservationExpired':
      return ended(book.reserved, event)
    case 'StockAllocated': {
      const fault = ended(book.reserved, event)
      book.allocated.set(event.reservationId, { owner: event.orderId, units: event.units })
      return fault
    }
    case 'StockDeallocated':
      return ended(book.allocated, event)
    case 'StockShipped':
      book.onHand -= event.units
      return ended(book.allocated, event)
    case 'BackorderPolicySet':
      book.limit = event.limit
      return undefined
    case 'ReservationExtended':
    case 'StockDepleted':
      return undefined
  }
}

type Ending = Pick<
  Extract<Stock.StockEvent, { readonly _tag: 'StockShipped' }>,
  'reservationId' | 'units'
> & { readonly _tag: string }

const ended = (live: Map<string, Held>, { _tag, reservationId, units }: Ending): string | undefined => {
  const holder = live.get(reservationId)
  if (holder === undefined) return `${_tag} of ${reservationId}, which is not live`
  const left = holder.units - units
  if (left > 0) live.set(reservationId, { ...holder, units: left })
  else live.delete(reservationId)
  return left < 0 ? `${_tag} of ${units} of ${reservationId}, which holds ${holder.units}` : undefined
}

/** Reservations are named after their owner: `ann~2`, `order-1:tea`. */
const vainly = (book: StockBook, rejection: Rejection): string | undefined => {
  if (rejection._tag !== 'InsufficientStock' || rejection.reservationId === undefined) return undefined
  const { reservationId, requested } = rejection
  const [owner] = reservationId.split(/[~:]/)
  const own = [...book.reserved.values()].reduce(
    (sum, one) => (one.owner === owner ? sum + one.units : sum),
    0,
  )
  const had = free(book) + own + book.limit
  return requested > had
    ? undefined
    : `${reservationId} was refused ${requested}, and ${had} could be had, ${own} of them its own`
}
