/** Who calls, on this machine only: bearer tokens that anyone may ask for, signed by a key that ends with the process. */
import { type Caller, E, type FrontDoorPorts, type Problem, problem } from '@everfold/core'
import { jwtVerify, SignJWT } from 'jose'

export interface Tokens {
  issue(this: void, caller: Pick<Caller, 'userId' | 'roles'>): Promise<string>
  readonly authenticate: FrontDoorPorts['authenticate']
}

const ISSUER = 'everfold-local'
const LIFETIME_S = 12 * 3600

/** `key` has at least 32 bytes (RFC 7518, section 3.2). */
export const tokens = (key: Uint8Array, nowMs: () => number): Tokens => ({
  issue: ({ userId, roles }) => {
    const nowS = Math.floor(nowMs() / 1000)
    return new SignJWT({ roles })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(ISSUER)
      .setSubject(userId)
      .setIssuedAt(nowS)
      .setExpirationTime(nowS + LIFETIME_S)
      .sign(key)
  },
  authenticate: async ({ authorization }) => {
    if (authorization === undefined) return E.right(undefined)
    const [, token] = /^Bearer ([^\s]+)$/i.exec(authorization) ?? []
    if (token === undefined) return E.left(unauthorized('The Authorization header is not a bearer token.'))
    try {
      const { payload } = await jwtVerify(token, key, {
        issuer: ISSUER,
        algorithms: ['HS256'],
        currentDate: new Date(nowMs()),
      })
      const { sub, roles } = payload
      if (sub === undefined || !Array.isArray(roles)) return E.left(unauthorized('The token names nobody.'))
      return E.right({ userId: sub, roles: roles.map(String) })
    } catch {
      return E.left(unauthorized('The token is not valid, or not any more.'))
    }
  },
})

const unauthorized = (detail: string): Problem => problem(401, 'Unauthorized', { detail })
