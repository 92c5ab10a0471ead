/**
 * Cases by the million: fast-check draws the seeds of a law and names the one that fails, and a small generator
 * (mulberry32) draws the cases of each seed, for a property's own bookkeeping costs more than a law.
 */
import { Currency, Money } from '@everfold/ecommerce'

const SEEDS = 100
const CASES_PER_SEED = 10_000
export const million = { numRuns: SEEDS }
/** For a law of a million cases on a busy machine: some seconds of work. */
export const PATIENCE_MS = 60_000

export class Draw {
  #state: number
  constructor(seed: number) {
    this.#state = seed
  }
  /** Below `bound`, which is at most 2^53. */
  below(bound: number): number {
    return Math.floor(((this.#word() * 2_097_152 + (this.#word() >>> 11)) / 2 ** 53) * bound)
  }
  /** Of any magnitude up to `max`, small ones as often as large ones. */
  size(max: number): number {
    return this.below(Math.min(max, 2 ** this.below(51)) + 1)
  }
  amount(max: number = Money.MAX_AMOUNT): Money.Amount {
    const size = this.size(max)
    return (this.below(2) === 0 || size === 0 ? size : -size) as Money.Amount
  }
  #word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let word = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return (word ^ (word >>> 14)) >>> 0
  }
}

/** Runs `law` on so many cases of one seed, each currency in turn; the law answers what it found wrong, if anything. */
export const everyCurrency = (
  seed: number,
  law: (currency: Currency.Currency<'USD'>, draw: Draw) => string | undefined,
  cases: number = CASES_PER_SEED,
) => {
  const draw = new Draw(seed)
  for (let index = 0; index < cases; index += 1) {
    const code = Currency.CURRENCY_CODES[(index + Math.abs(seed)) % Currency.CURRENCY_CODES.length] ?? 'USD'
    // One currency at a time, whichever it is: 'USD' stands for it in the types.
    const wrong = law(Currency.currencies[code] as unknown as Currency.Currency<'USD'>, draw)
    if (wrong !== undefined) throw new Error(`${code}, case ${index}: ${wrong}`)
  }
}
