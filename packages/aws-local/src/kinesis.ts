/** Kinesis, by the package kinesis-local: in memory, empty at its start. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { freePort, type LocalService, startService } from './service-process.ts'

/** Run in the service before its own code, which would listen on every interface of the machine. */
const LOOPBACK_ONLY = `
  import { Server } from 'node:net'
  const { listen } = Server.prototype
  Server.prototype.listen = function (first, ...rest) {
    const options = typeof first === 'object' ? first : { port: first }
    return listen.call(this, { ...options, host: '127.0.0.1' }, ...rest.filter((one) => typeof one === 'function'))
  }
`

export const startKinesis = async (): Promise<LocalService> => {
  const home = dirname(createRequire(import.meta.url).resolve('kinesis-local/package.json'))
  const [port, tlsPort] = await Promise.all([freePort(), freePort()])
  return startService({
    name: 'kinesis-local',
    command: process.execPath,
    args: ['--import', `data:text/javascript,${encodeURIComponent(LOOPBACK_ONLY)}`, join(home, 'main.js')],
    port,
    // It looks for its certificate in the working directory.
    cwd: home,
    env: {
      KINESIS_MOCK_PLAIN_PORT: String(port),
      KINESIS_MOCK_TLS_PORT: String(tlsPort),
      LOG_LEVEL: 'ERROR',
      SHARD_LIMIT: '10000',
      // Stream changes take half a second each by default, to look like AWS; waiting for that proves nothing.
      CREATE_STREAM_DURATION: '1ms',
      DELETE_STREAM_DURATION: '1ms',
      SPLIT_SHARD_DURATION: '1ms',
      MERGE_SHARDS_DURATION: '1ms',
    },
  })
}
