/**
 * Patterns in which `*` stands for any characters, as in Stripe's `type=charge.*`; nothing else is special.
 */

/** No pattern matches everything; a pattern never matches what is not there. */
export const matches = (pattern: string | undefined, text: string | undefined): boolean => {
  if (pattern === undefined) return true
  if (text === undefined) return false
  const [head = '', ...rest] = pattern.split('*')
  const tail = rest.at(-1)
  if (tail === undefined) return text === pattern
  let from = head.length
  if (!text.startsWith(head)) return false
  for (const piece of rest.slice(0, -1)) {
    const found = text.indexOf(piece, from)
    if (found < 0) return false
    from = found + piece.length
  }
  return text.length - tail.length >= from && text.endsWith(tail)
}
