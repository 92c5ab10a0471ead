/** What somebody's code threw, in words: it may be anything, and may refuse to be told. */

export const wordsOfThrown = (thrown: unknown): string => {
  try {
    return String(thrown)
  } catch {
    return 'something that cannot be told'
  }
}

export const stackOfThrown = (thrown: unknown): string | undefined =>
  thrown instanceof Error ? thrown.stack : undefined
