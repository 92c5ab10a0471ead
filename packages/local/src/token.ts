/** Who calls, on this machine only: bearer tokens that anyone may ask for, signed by a key that ends with the process. */
import { type Caller, E, type FrontDoorPorts, list, type Problem, problem, text } from '@everfold/core'
import { Quantities } from '@everfold/ecommerce'
import { jwtVerify, SignJWT } from 'jose'

export interface Tokens {
  issue(this: void, caller: Pick<Caller, 'userId' | 'roles'>): Promise<string>
  readonly authenticate: FrontDoorPorts['authenticate']
}

const ISSUER = 'everfold-local'
const LIFETIME_S = 12 * 3600

const Roles = list(text('Role'))

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
        requiredClaims: ['exp'],
        currentDate: new Date(nowMs()),
      })
      const { sub, roles } = payload
      if (!Quantities.UserId.is(sub) || !Roles.is(roles))
        return E.left(unauthorized('The token names nobody, or no list of roles.'))
      return E.right({ userId: sub, roles })
    } catch {
      return E.left(unauthorized('The token is not valid, or not any more.'))
    }
  },
})

const unauthorized = (detail: string): Problem => problem(401, 'Unauthorized', { detail })
