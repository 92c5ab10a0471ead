/** What a client of the AWS SDK needs to speak to a service on this machine. */
export interface LocalClient {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** The credentials are none: services on this machine take any. */
export const localClient = (endpoint: string): LocalClient => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
})
