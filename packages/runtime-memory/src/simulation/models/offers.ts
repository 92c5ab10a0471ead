/** Lists of deviations, of which the same words are the same list: who chooses among them keeps what it knows by list. */

const lists = new Map<string, ReadonlyArray<string>>()

export const offersOf = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const key = words.join('\n')
  const known = lists.get(key)
  if (known !== undefined) return known
  const list = Object.freeze([...new Set(words)])
  lists.set(key, list)
  return list
}
