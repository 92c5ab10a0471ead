/** SQS, SNS and S3 at one address, by the package fauxqs: in memory, in this process, empty at its start. */
import type { LocalService } from './service-process.ts'

/** Its own starter listens on every interface of the machine; the application inside it does not have to. */
export const startFauxqs = async (): Promise<LocalService> => {
  const { buildApp } = await import('fauxqs')
  const app = buildApp({ logger: false })
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 })
  return { endpoint, stop: () => app.close() }
}
