/**
 * Jars of coins, the domain of the HTTP tests: each belongs to whoever opened it, and is also known to a view.
 *
 * Stream `jar/{jarId}`. Invariant: no more is taken out than was put in.
 */
import {
  accept,
  type Caller,
  Cursor,
  command,
  cursorOf,
  type Decider,
  aggregate as defineAggregate,
  E,
  type FrontDoorPorts,
  forbidden,
  from,
  type HttpRequest,
  type HttpResponse,
  hook,
  integer,
  list,
  notFound,
  type Problem,
  type Projection,
  placeOf,
  plainSnapshot,
  problem,
  query,
  type Reader,
  type Route,
  record,
  reject,
  type Service,
  streamParts,
  type TypeOf,
  text,
  undatedId,
  union,
  variant,
} from '@everfold/core'
import { type MemoryRuntime, memoryDoor, memoryRuntime, type VirtualKernel } from '@everfold/runtime-memory'

const Coins = integer('Coins', 1, 1000)
const Total = integer('Total', 0)
const JarId = text('JarId', { maxLength: 64, pattern: /^[A-Za-z0-9-]+$/ })
const Owner = text('Owner')

const JarEvent = union(
  'JarEvent',
  variant('JarOpened', { owner: Owner }),
  variant('CoinsPut', { coins: Coins, total: Total }),
  variant('CoinsTaken', { coins: Coins, total: Total }),
)
const Jar = record('Jar', { total: Total }, { owner: Owner })
const JarCommand = union(
  'JarCommand',
  variant('OpenJar', { owner: Owner }),
  variant('PutCoins', { coins: Coins }),
  variant('TakeCoins', { coins: Coins }),
)
const JarRejection = union(
  'JarRejection',
  variant('UnknownJar'),
  variant('NotEnough', { wanted: Coins, total: Total }),
)

type Jar = TypeOf<typeof Jar>
type Decides = Decider<
  TypeOf<typeof JarCommand>,
  Jar,
  TypeOf<typeof JarEvent>,
  TypeOf<typeof JarRejection>
>['decide']

const initial: Jar = { total: 0 as Jar['total'] }

const decide: Decides = (asked, { owner, total }) => {
  if (asked._tag === 'OpenJar')
    return owner === undefined ? accept({ _tag: 'JarOpened', owner: asked.owner }) : accept()
  if (owner === undefined) return reject({ _tag: 'UnknownJar' })
  const { coins } = asked
  if (asked._tag === 'PutCoins')
    return accept({ _tag: 'CoinsPut', coins, total: (total + coins) as Jar['total'] })
  if (coins > total) return reject({ _tag: 'NotEnough', wanted: coins, total })
  return accept({ _tag: 'CoinsTaken', coins, total: (total - coins) as Jar['total'] })
}

const aggregate = defineAggregate({
  name: 'jar',
  command: JarCommand,
  event: JarEvent,
  rejection: JarRejection,
  snapshot: plainSnapshot(Jar),
  reducer: 1,
  initial,
  evolve: (jar: Jar, event: TypeOf<typeof JarEvent>): Jar =>
    event._tag === 'JarOpened' ? { ...jar, owner: event.owner } : { ...jar, total: event.total },
  decide,
})

const projection: Projection = {
  name: 'jars',
  generation: '1',
  sources: [
    from(aggregate, ({ event, stream }) => {
      const { id } = streamParts(stream)
      const total = event._tag === 'JarOpened' ? 0 : event.total
      return [{ pk: 'ALL', sk: id, change: () => ({ jarId: id, total }) }]
    }),
  ],
}

// Routes

const JarParams = record('JarParams', { jarId: JarId })
const NoBody = record('NoBody', {})
const Amount = record('Amount', { coins: Coins }, { note: text('Note', { maxLength: 20 }) })
export const Deposit = record('Deposit', { jarId: JarId, coins: Coins })
const JarView = record('JarView', { jarId: JarId, total: Total })

type Allowed = E.Either<Problem | Extract<Awaited<ReturnType<Reader['state']>>, E.Left<unknown>>['left'], Jar>

const ownJar = async (jarId: string, caller: Caller | undefined, read: Reader): Promise<Allowed> => {
  const found = await read.state(aggregate, jarId)
  if (E.isLeft(found)) return found
  const { state } = found.right
  if (state.owner === undefined) return E.left(notFound(`jar ${jarId}`))
  return state.owner === caller?.userId ? E.right(state) : E.left(forbidden('This jar is not yours.'))
}

const owned = {
  access: 'user',
  params: JarParams,
  authorize: async (
    { params, caller }: { readonly params: TypeOf<typeof JarParams>; readonly caller: Caller | undefined },
    read: Reader,
  ) => E.map(() => undefined)(await ownJar(params.jarId, caller, read)),
} as const

const totalOf = (events: ReadonlyArray<TypeOf<typeof JarEvent>>): number =>
  events.reduce((total, event) => (event._tag === 'JarOpened' ? total : event.total), 0)

const Replies = {
  opened: record('Opened', { jarId: JarId }),
  total: record('NewTotal', { jarId: JarId, total: Total }),
  jars: record('Jars', { items: list(JarView) }, { nextCursor: Cursor }),
}

export const routes: ReadonlyArray<Route> = [
  command(aggregate)({
    method: 'POST',
    path: '/bank/jars',
    summary: 'Opens a jar.',
    access: 'user',
    params: record('NoParams', {}),
    body: NoBody,
    replies: { status: 201, body: Replies.opened },
    id: ({ commandId }) => commandId,
    prepare: ({ caller }) => E.right({ _tag: 'OpenJar', owner: caller?.userId as TypeOf<typeof Owner> }),
    reply: (_events, { commandId }) => ({ jarId: commandId }),
  }),
  command(aggregate)({
    ...owned,
    method: 'POST',
    path: '/bank/jars/{jarId}/coins',
    summary: 'Puts coins in.',
    body: Amount,
    replies: { status: 201, body: Replies.total },
    id: ({ params }) => params.jarId,
    prepare: ({ body: { coins } }) => E.right({ _tag: 'PutCoins', coins }),
    reply: (events, { params }) => ({ ...params, total: totalOf(events) }),
  }),
  command(aggregate)({
    ...owned,
    method: 'PATCH',
    path: '/bank/jars/{jarId}/coins',
    summary: 'Takes coins out.',
    body: Amount,
    replies: { status: 200, body: Replies.total },
    id: ({ params }) => params.jarId,
    prepare: ({ body: { coins } }) => E.right({ _tag: 'TakeCoins', coins }),
    reply: (events, { params }) => ({ ...params, total: totalOf(events) }),
  }),
  command(aggregate)({
    ...owned,
    method: 'POST',
    path: '/bank/jars/{jarId}/pourings',
    summary: 'Pours coins of another own jar into this one.',
    body: Deposit,
    replies: { status: 200, body: Replies.total },
    id: ({ params }) => params.jarId,
    first: async ({ body, caller }, read) => {
      const other = await ownJar(body.jarId, caller, read)
      if (E.isLeft(other)) return other
      return E.right({ aggregate, id: body.jarId, command: { _tag: 'TakeCoins', coins: body.coins } })
    },
    prepare: ({ body: { coins } }) => E.right({ _tag: 'PutCoins', coins }),
    reply: (events, { params }) => ({ ...params, total: totalOf(events) }),
  }),
  command(aggregate)({
    ...owned,
    method: 'POST',
    path: '/bank/jars/{jarId}/halvings',
    summary: 'Takes half of the coins out, or the last one.',
    body: NoBody,
    replies: { status: 200, body: Replies.total },
    id: ({ params }) => params.jarId,
    prepare: async ({ params, caller }, read) => {
      const jar = await ownJar(params.jarId, caller, read)
      if (E.isLeft(jar)) return jar
      const coins = Math.ceil(jar.right.total / 2)
      if (!Coins.is(coins)) return E.left(notFound('coin in the jar'))
      return E.right({ _tag: 'TakeCoins', coins })
    },
    reply: (events, { params }) => ({ ...params, total: totalOf(events) }),
  }),
  command(aggregate)({
    method: 'POST',
    path: '/bank/deposits',
    summary: "Puts coins into anybody's jar.",
    access: { role: 'admin' },
    params: record('NoParams', {}),
    body: Deposit,
    replies: { status: 201, body: Replies.total },
    claims: true,
    id: ({ body }) => body.jarId,
    prepare: ({ body: { coins } }) => E.right({ _tag: 'PutCoins', coins }),
    reply: (events, { body }) => ({ jarId: body.jarId, total: totalOf(events) }),
  }),
  query({
    ...owned,
    path: '/bank/jars/{jarId}',
    summary: 'One jar.',
    query: record('NoQuery', {}),
    replies: { status: 200, body: JarView },
    answer: async ({ params: { jarId }, caller }, read) =>
      E.map(({ total }: Jar) => ({ jarId, total }))(await ownJar(jarId, caller, read)),
  }),
  query({
    path: '/bank/jars',
    summary: 'All jars, without their owners.',
    access: 'public',
    params: record('NoParams', {}),
    query: record('JarsQuery', {}, { limit: integer('Limit', 1, 10), cursor: Cursor }),
    replies: { status: 200, body: Replies.jars },
    reads: ['jars'],
    cache: 'public, max-age=10',
    answer: async ({ query: { limit = 10, cursor } }, read) => {
      const place = cursor === undefined ? E.right(undefined) : placeOf(cursor, 'jars')
      if (E.isLeft(place)) return place
      const after = place.right === undefined ? {} : { after: place.right }
      const page = await read.rows('jars', { pk: 'ALL', limit, ...after })
      if (E.isLeft(page)) return page
      const items = page.right.rows.map(({ value }) => value)
      const next = page.right.after
      return E.right(next === undefined ? { items } : { items, nextCursor: cursorOf(next, 'jars') })
    },
  }),
  hook({ path: '/bank/hooks/mint', summary: 'New coins.', hook: 'mint' }),
]

const service: Service = {
  name: 'bank',
  aggregates: [aggregate],
  projections: [projection],
  processes: [],
  gateways: [],
  routes,
}

// The house

/** Whoever names himself is believed; `root` is an administrator, and `forged` is a token that does not hold. */
const authenticate: FrontDoorPorts['authenticate'] = async ({ authorization, 'x-tenant': tenant }) => {
  if (authorization === undefined) return E.right(undefined)
  if (authorization === 'forged') return E.left(problem(401, 'Unauthorized'))
  const roles = authorization === 'root' ? ['admin'] : []
  return E.right({ userId: authorization, roles, ...(tenant === undefined ? {} : { tenant }) })
}

export interface Bank {
  readonly runtime: MemoryRuntime
  readonly door: (request: HttpRequest) => Promise<HttpResponse>
}

/** The mint's messages are a jar's id and a number of coins; it calls the first of `=`, a message of its own. */
export const bank = (kernel: VirtualKernel): Bank => {
  const runtime = memoryRuntime({ service, kernel, gateways: () => [] })
  const door = memoryDoor(runtime, {
    authenticate,
    hooks: {
      mint: ({ body, nowMs }) => {
        const [jarId = '', coins = ''] = new TextDecoder().decode(body).split('=')
        if (!JarId.is(jarId)) return E.left(problem(400, 'No message of the mint'))
        const commandId = undatedId('mint', jarId, coins, String(nowMs))
        return E.right([
          { aggregate, id: jarId, command: { _tag: 'PutCoins', coins: Number(coins) }, commandId },
        ])
      },
    },
  })
  return { runtime, door }
}

export interface Asking {
  readonly as?: string
  readonly body?: unknown
  readonly key?: string
  readonly headers?: HttpRequest['headers']
}

export const bytes = (body: unknown): Uint8Array =>
  body === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(body))

export const request = (
  method: string,
  url: string,
  { as, body, key, headers }: Asking = {},
): HttpRequest => ({
  method,
  url,
  headers: {
    ...(as === undefined ? {} : { authorization: as }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...headers,
  },
  body: body instanceof Uint8Array ? body : bytes(body),
})
