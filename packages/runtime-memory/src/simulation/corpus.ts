/** Past failures in a directory, for keeping under version control: one JSON file each. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { E } from '@everfold/core'
import { type Corpus, decodeFailure, encodeFailure, failureOf, fileOf, nameOf } from './report/corpus.ts'
import { wordsOfFaults } from './report/reading.ts'

/**
 * The corpus in this directory, a path as `node:fs` takes it; `keep` makes the directory. `failures` rejects where a `.json`
 * file in it is no past failure, naming the file; a directory that is not there has none.
 */
export const corpusIn = (directory: string): Corpus => ({
  failures: async () => {
    const files = (await namesIn(directory)).filter((name) => name.endsWith('.json')).toSorted()
    return Promise.all(files.map((name) => failureIn(join(directory, name))))
  },
  keep: async (run) => {
    const failure = failureOf(nameOf(run), run)
    const file = join(directory, fileOf(failure))
    await mkdir(directory, { recursive: true })
    await writeFile(file, encodeFailure(failure))
    return file
  },
})

/** A corpus begins when something fails, so there may be none. */
const namesIn = async (directory: string): Promise<ReadonlyArray<string>> => {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ENOENT') return []
    throw error
  }
}

const failureIn = async (file: string) => {
  const decoded = decodeFailure(await readFile(file, 'utf8'))
  if (E.isLeft(decoded)) throw new Error(`${file} is no past failure: ${wordsOfFaults(decoded.left)}`)
  return decoded.right
}
