/**
 * Lists and expansions: pages of a collection, newest first, and ids replaced by their objects.
 *
 * What may be expanded is known beforehand, so that a wrong `expand` is refused before anything is done.
 *
 * Source: https://docs.stripe.com/api/pagination and https://docs.stripe.com/api/expanding_objects
 */
import type { Account } from './account.ts'
import { invalid, missing, ok, type Result } from './api-error.ts'
import { type FieldsOf, fields, filled, integer, list, type Parameter, string } from './parameter.ts'

export type Kind =
  | 'payment_intent'
  | 'charge'
  | 'refund'
  | 'dispute'
  | 'payment_method'
  | 'event'
  | 'webhook_endpoint'
  | 'meter_event'

const moment: Parameter<Readonly<Record<'gt' | 'gte' | 'lt' | 'lte', number | undefined>>> = {
  read: (value, name) => {
    if (typeof value !== 'string') {
      const range = fields({ gt: integer, gte: integer, lt: integer, lte: integer }).read(value, name)
      return range.ok
        ? ok({ gt: range.value.gt, gte: range.value.gte, lt: range.value.lt, lte: range.value.lte })
        : range
    }
    const at = integer.read(value, name)
    return at.ok ? ok({ gt: undefined, gte: at.value, lt: undefined, lte: at.value }) : at
  },
}

export const pageSchema = {
  created: moment,
  ending_before: filled(),
  expand: list(string()),
  limit: integer,
  starting_after: filled(),
} as const

export type Page = FieldsOf<typeof pageSchema>

export const checkPage = (page: Page): Result<null> => {
  if (page.limit !== undefined && (page.limit < 1 || page.limit > 100))
    return invalid('Invalid integer: limit must be between 1 and 100.', 'parameter_invalid_integer', 'limit')
  if (page.starting_after !== undefined && page.ending_before !== undefined)
    return invalid(
      'You may only specify one of these parameters: ending_before, starting_after.',
      'parameters_exclusive',
    )
  return ok(null)
}

interface Item {
  readonly id: string
  readonly created: number
}

const within = (created: number, range: Page['created']): boolean =>
  range === undefined ||
  (created > (range.gt ?? Number.NEGATIVE_INFINITY) &&
    created >= (range.gte ?? Number.NEGATIVE_INFINITY) &&
    created < (range.lt ?? Number.POSITIVE_INFINITY) &&
    created <= (range.lte ?? Number.POSITIVE_INFINITY))

export interface ListOf<A> {
  readonly object: 'list'
  readonly data: ReadonlyArray<A>
  readonly has_more: boolean
  readonly url: string
}

/** A page of `oldestFirst`, newest first; `ending_before` gives the page just above its cursor. */
export const pageOf = <A extends Item>(
  oldestFirst: ReadonlyArray<A>,
  page: Page,
  { kind, url }: { readonly kind: Kind; readonly url: string },
): Result<ListOf<A>> => {
  const limit = page.limit ?? 10
  const all = oldestFirst.filter((item) => within(item.created, page.created)).toReversed()
  const named = page.starting_after ?? page.ending_before
  const at = named === undefined ? -1 : all.findIndex((item) => item.id === named)
  if (named !== undefined && at < 0)
    return missing(kind, named, page.starting_after === undefined ? 'ending_before' : 'starting_after')
  const before = page.ending_before !== undefined
  const rest = before ? all.slice(0, at) : all.slice(at + 1)
  const data = before ? rest.slice(-limit) : rest.slice(0, limit)
  return ok({ object: 'list', data, has_more: rest.length > limit, url })
}

const EXPANDABLE: Readonly<Record<Kind, Readonly<Record<string, Kind>>>> = {
  payment_intent: { latest_charge: 'charge', payment_method: 'payment_method' },
  charge: { payment_intent: 'payment_intent', refunds: 'refund' },
  refund: { charge: 'charge', payment_intent: 'payment_intent' },
  dispute: { charge: 'charge', payment_intent: 'payment_intent' },
  payment_method: {},
  event: {},
  webhook_endpoint: {},
  meter_event: {},
}

const MAX_DEPTH = 4

const step = (kind: Kind, name: string): Kind | undefined =>
  Object.hasOwn(EXPANDABLE[kind], name) ? EXPANDABLE[kind][name] : undefined

export const checkExpand = (kind: Kind, paths: ReadonlyArray<string>, listed: boolean): Result<null> => {
  for (const path of paths) {
    const names = path.split('.')
    const inside = listed ? names.slice(1) : names
    const reached = inside.reduce<Kind | undefined>(
      (at, name) => (at === undefined ? at : step(at, name)),
      kind,
    )
    if (
      reached === undefined ||
      inside.length === 0 ||
      names.length > MAX_DEPTH ||
      (listed && names[0] !== 'data')
    )
      return invalid(`This property cannot be expanded (${path}).`, undefined, 'expand')
  }
  return ok(null)
}

type Plain = Readonly<Record<string, unknown>>

const find = (account: Account, kind: Kind, id: string): Plain | undefined => {
  const object = {
    payment_intent: account.intents.get(id),
    charge: account.charges.get(id),
    refund: account.refunds.get(id),
    dispute: account.disputes.get(id),
    payment_method: account.methods.get(id)?.object,
    event: account.events.get(id),
    webhook_endpoint: undefined,
    meter_event: undefined,
  }[kind]
  return object === undefined ? undefined : { ...object }
}

const refundsOf = (account: Account, charge: Plain): Plain => {
  const id = String(charge['id'])
  const data = [...account.refunds.values()].filter((refund) => refund.charge === id).toReversed()
  return {
    object: 'list',
    data: data.slice(0, 10),
    has_more: data.length > 10,
    url: `/v1/charges/${id}/refunds`,
  }
}

const expandPath = (
  account: Account,
  object: Plain,
  at: { kind: Kind; names: ReadonlyArray<string> },
): Plain => {
  const [name, ...rest] = at.names
  const kind = name === undefined ? undefined : step(at.kind, name)
  if (name === undefined || kind === undefined) return object
  if (name === 'refunds') return { ...object, refunds: refundsOf(account, object) }
  const value = object[name]
  const found = typeof value === 'string' ? find(account, kind, value) : (value as Plain | null)
  if (found === null || found === undefined) return object
  return { ...object, [name]: expandPath(account, found, { kind, names: rest }) }
}

/** `object` with each path's ids replaced by objects; paths were checked before. */
export const expand = (
  account: Account,
  kind: Kind,
  object: unknown,
  paths: ReadonlyArray<string>,
): unknown => {
  const plain = object as Plain
  if (plain['object'] !== 'list')
    return paths.reduce((at, path) => expandPath(account, at, { kind, names: path.split('.') }), plain)
  const inside = paths.map((path) => path.replace('data.', ''))
  const data = plain['data'] as ReadonlyArray<unknown>
  return { ...plain, data: data.map((item) => expand(account, kind, item, inside)) }
}
