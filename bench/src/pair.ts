/**
 * `node pair.ts <ours> <theirs> <streamLength>`: measures one pair and prints the comparison as JSON.
 *
 * Every pair has a process of its own. In a shared one, each contender's events and states would widen the
 * type feedback of the domain's functions, and those measured last would pay for those measured first.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type ContenderName, contenders, isContenderName } from './contenders/index.ts'
import { type Comparison, compare } from './measure.ts'

/**
 * Undo what making thousands of streams and collecting them would do to the measurement. The collector's
 * own threads would sweep the garbage of the preparation on the CPU time of the commands; and the
 * collections would drop bytecode and hidden classes, so that every batch had to be compiled anew.
 */
const v8Flags = [
  '--expose-gc',
  '--single-threaded-gc',
  '--no-flush-bytecode',
  '--retain-maps-for-n-gc=1000000',
]

/** Starts the process and reads its answer. What it has to say besides goes to our standard error. */
export const comparePair = (
  ours: ContenderName,
  theirs: ContenderName,
  streamLength: number,
): Promise<Comparison> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [...process.execArgv, ...v8Flags, fileURLToPath(import.meta.url), ours, theirs, String(streamLength)],
      { stdio: ['ignore', 'pipe', 'inherit'], timeout: 120_000 },
    )
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(output) as Comparison)
      else reject(new Error(`${ours} against ${theirs} ended with ${signal ?? code}`))
    })
  })

if (import.meta.main) {
  const [ours = '', theirs = '', streamLength = ''] = process.argv.slice(2)
  if (!isContenderName(ours) || !isContenderName(theirs))
    throw new Error(`usage: pair <ours> <theirs> <length>; contenders: ${Object.keys(contenders).join(', ')}`)
  const comparison = await compare(await contenders[ours](), await contenders[theirs](), Number(streamLength))
  console.log(JSON.stringify(comparison))
}
