/** What a client of the AWS SDK needs to speak to a service on this machine. */
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** One value for the client of any service; each takes of it what it knows. */
export interface LocalClient {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** HTTP/1.1, because the answers that kinesis-local gives to its client's HTTP/2 are broken. */
  readonly requestHandler: NodeHttpHandler
  /** For S3: a bucket's name cannot be put before an address. */
  readonly forcePathStyle: true
  /** For SQS: the host in fauxqs's queue addresses is a name, which not every machine resolves. */
  readonly useQueueUrlAsEndpoint: false
}

/** The credentials are none: services on this machine take any. */
export const localClient = (endpoint: string): LocalClient => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  requestHandler: new NodeHttpHandler(),
  forcePathStyle: true,
  useQueueUrlAsEndpoint: false,
})
