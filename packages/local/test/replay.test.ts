/** Replays of small files: what the shop, Stripe and the stock's books come to is what the files say, to the cent. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { E } from '@everfold/core'
import { Shop } from '@everfold/ecommerce'
import { virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, house } from '../src/house.ts'
import { counted, faults, type Report, report } from '../src/replay/report.ts'
import { openingMs, Refused, type Replay, run, type Sales } from '../src/replay/run.ts'
import { readProducts, readSales } from '../src/replay/sales.ts'
import { program } from './program.ts'

const PRODUCTS = 'product_id,name,category,unit_price_cents,units_in_stock,reorder_level,discontinued'
const ORDERS =
  'order_id,customer_id,order_date,freight_cents,country,product_id,unit_price_cents,quantity,discount_percent'

const TIMEOUT_MS = 60_000

interface Line {
  readonly product: number
  readonly cents: number
  readonly quantity: number
  readonly percent: number
}
interface Placed {
  readonly day: number
  readonly customer: string
  readonly freight: number
  readonly lines: ReadonlyArray<Line>
}
interface Shelf {
  readonly cents: number
  readonly units: number
  readonly discontinued: number
}

/** The files that say so. */
const files = (shelves: ReadonlyArray<Shelf>, orders: ReadonlyArray<Placed>): readonly [string, string] => {
  const products = shelves.map(
    ({ cents, units, discontinued }, at) => `${at},Product ${at},goods,${cents},${units},0,${discontinued}`,
  )
  const rows = orders.flatMap(({ day, customer, freight, lines }, at) => {
    const date = new Date(Date.UTC(1996, 6, 1 + day)).toISOString().slice(0, 10)
    return lines.map(
      ({ product, cents, quantity, percent }) =>
        `${at},${customer},${date},${freight},Peru,${product},${cents},${quantity},${percent}`,
    )
  })
  return [[PRODUCTS, ...products, ''].join('\n'), [ORDERS, ...rows, ''].join('\n')]
}

const right = <A>(read: E.Either<unknown, A>): A => {
  if (E.isLeft(read)) throw new Error(JSON.stringify(read.left))
  return read.right
}

const salesOf = ([products, orders]: readonly [string, string]): Sales => {
  const catalogue = right(readProducts('products.csv', Buffer.from(products)))
  return { products: catalogue, sales: right(readSales('orders.csv', Buffer.from(orders), catalogue)) }
}

/** Stripe charges nothing below 50 cents; a free order needs no charge. */
const chargeable = ({ freight, lines }: Placed): boolean => {
  const nets = lines.map(({ cents, quantity, percent }) => (cents * quantity * (100 - percent)) / 100)
  const total = freight + nets.reduce((sum, net) => sum + Math.floor(net + 0.5), 0)
  return total === 0 || (total >= 50 && total <= 99_999_999)
}

const SHELVES = 3
const anyShelves = fc.array(
  fc.record({
    cents: fc.nat(20_000),
    units: fc.oneof(fc.constant(0), fc.nat(100)),
    discontinued: fc.nat(1),
  }),
  { minLength: SHELVES, maxLength: SHELVES },
)
const anyLine: fc.Arbitrary<Line> = fc.record({
  product: fc.nat(SHELVES - 1),
  cents: fc.oneof(fc.nat(99), fc.nat(20_000)),
  quantity: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 1000 })),
  percent: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 })),
})
const anyOrders = fc.array(
  fc
    .record({
      day: fc.nat(40),
      customer: fc.constantFrom('VINET', 'TOMSP', 'HANAR'),
      freight: fc.oneof(fc.constant(0), fc.nat(5000)),
      lines: fc.uniqueArray(anyLine, {
        minLength: 1,
        maxLength: SHELVES,
        selector: ({ product }) => product,
      }),
    })
    .filter(chargeable),
  { maxLength: 5 },
)

interface Replayed {
  readonly shop: House
  readonly replay: Replay
  readonly again: () => Promise<void>
  readonly found: () => Promise<Report>
}

const authenticate = () => Promise.resolve(E.right(undefined))

const replayed = async (sales: Sales, terms: Shop.Terms = Shop.defaultTerms): Promise<Replayed> => {
  const kernel = virtualKernel({ mode: 'immediate', startMs: openingMs(sales.sales), seed: 'replay' })
  const shop = await house({ kernel, seed: 'replay', authenticate, terms })
  const replay: Replay = { house: shop, kernel, terms }
  const again = () => run(replay, sales, () => {})
  await again()
  return { shop, replay, again, found: () => report(shop, sales, 1) }
}

const order = (...lines: ReadonlyArray<Line>): Placed => ({ day: 0, customer: 'VINET', freight: 0, lines })
const shelf: Shelf = { cents: 5, units: 10, discontinued: 0 }

describe('a replay', () => {
  property.prop([anyShelves, anyOrders], { numRuns: 40 })(
    'comes to what the files say: revenue, freight, captures, stock and mails; a second one adds nothing',
    async (shelves, orders) => {
      const sales = salesOf(files(shelves, orders))
      const { shop, again, found } = await replayed(sales)
      const first = await found()
      // Said here once more, in hundredths of a cent, so that the plan's own sum is held to something.
      const lines = orders.flatMap((placed) => placed.lines)
      const hundredths = lines.map(({ cents, quantity, percent }) => cents * quantity * (100 - percent))
      const revenueCents = hundredths.reduce((sum, one) => sum + Math.round(one / 100), 0)
      const freightCents = orders.reduce((sum, { freight }) => sum + freight, 0)
      expect(first).toMatchObject({
        orders: orders.length,
        lines: lines.length,
        byStatus: orders.length === 0 ? {} : { confirmed: orders.length },
        revenueCents,
        freightCents,
        capturedCents: revenueCents + freightCents,
        refundedCents: 0,
        stockLedgerDifference: 0,
        mails: orders.length,
      })
      expect(faults(first, sales)).toEqual([])
      const { events } = await counted(shop)
      await again()
      expect((await counted(shop)).events).toBe(events)
      expect(await found()).toEqual(first)
      expect(shop.runtime.deadLetters).toEqual([])
    },
    TIMEOUT_MS,
  )

  test('of other sales under the same names is refused, and says why', async () => {
    const line: Line = { product: 0, cents: 500, quantity: 3, percent: 0 }
    const [one, other] = [
      salesOf(files([shelf], [order(line)])),
      salesOf(files([shelf], [order({ ...line, quantity: 4 })])),
    ]
    const { replay } = await replayed(one)
    const refused = run(replay, other, () => {})
    await expect(refused).rejects.toThrow(Refused)
    await expect(refused).rejects.toThrow(/^[a-z]+\/[a-z0-9-]+ refused .*IdReused/)
  })

  test('that is off by one anywhere does not check', async () => {
    const sales = salesOf(files([shelf], [order({ product: 0, cents: 500, quantity: 3, percent: 10 })]))
    const found = await (await replayed(sales)).found()
    expect(faults(found, sales)).toEqual([])
    const { byStatus, events: _, commandsPerSecond: __, ...figures } = found
    for (const [name, value] of Object.entries(figures))
      for (const wrong of [value + 1, value - 1, Number.NaN])
        expect(faults({ ...found, [name]: wrong }, sales).join()).toContain(name)
    expect(byStatus).toEqual({ confirmed: 1 })
    expect(faults({ ...found, byStatus: { canceled: 1 } }, sales)).toEqual(['not every order is confirmed'])
  })

  test('of a shop that rounds each unit instead of each line does not check', async () => {
    const sales = salesOf(files([shelf], [order({ product: 0, cents: 55, quantity: 3, percent: 10 })]))
    const rounding = { level: 'unit', rounding: 'half-up' } as const
    const found = await (await replayed(sales, { ...Shop.defaultTerms, rounding })).found()
    expect(faults(found, sales)).toEqual(['revenueCents is 150, not 149', 'capturedCents is 150, not 149'])
  })
})

const ended = (...args: ReadonlyArray<string>) => endedIn({}, ...args)

const endedIn = async (env: NodeJS.ProcessEnv, ...args: ReadonlyArray<string>) => {
  const { ended: code, out, err } = program('replay/main.ts', args, env)
  return { code: await code, out: out(), err: err() }
}

// Processes beside each other, on a machine that may be busy with other tests.
describe.concurrent('the command', { timeout: TIMEOUT_MS }, () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'everfold-replay-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const shelves: ReadonlyArray<Shelf> = [
    { cents: 1800, units: 3, discontinued: 1 },
    { cents: 1900, units: 17, discontinued: 0 },
  ]
  const line: Line = { product: 0, cents: 1400, quantity: 12, percent: 5 }
  const orders: ReadonlyArray<Placed> = [
    { day: 0, customer: 'VINET', freight: 3238, lines: [line, { ...line, product: 1, percent: 0 }] },
    { day: 1, customer: 'TOMSP', freight: 0, lines: [{ ...line, cents: 1300 }] },
  ]

  const written = async ([products, sold]: readonly [string, string]) => {
    const own = await mkdtemp(join(folder, 'files-'))
    const [productsFile, ordersFile] = [join(own, 'products.csv'), join(own, 'orders.csv')] as const
    await writeFile(productsFile, products)
    await writeFile(ordersFile, sold)
    return [productsFile, ordersFile] as const
  }
  const replay = async (contents: readonly [string, string], ...options: ReadonlyArray<string>) => {
    const [productsFile, ordersFile] = await written(contents)
    return { ...(await ended(productsFile, ordersFile, ...options)), ordersFile }
  }
  test('prints exactly one JSON object to the standard output, and its progress elsewhere', async () => {
    const { code, out, err } = await replay(files(shelves, orders), '--json')
    const net = 15_960 + 16_800 + 14_820
    expect(Object.entries(JSON.parse(out) as object)).toEqual([
      ['orders', 2],
      ['lines', 3],
      ['byStatus', { confirmed: 2 }],
      ['revenueCents', net],
      ['freightCents', 3238],
      ['capturedCents', net + 3238],
      ['refundedCents', 0],
      ['stockLedgerDifference', 0],
      ['mails', 2],
      ['events', expect.any(Number)],
      ['commandsPerSecond', expect.any(Number)],
    ])
    expect(out.trim().split('\n')).toHaveLength(1)
    expect(err).toContain('2/2 orders')
    expect(code).toBe(0)
  })

  test('runs everything again on the same store, and nothing is new', async () => {
    const { code, out } = await replay(files(shelves, orders), '--again', '--json')
    expect(Object.entries(JSON.parse(out) as object).at(-1)).toEqual(['newEvents', 0])
    expect(Object.keys(JSON.parse(out) as object)).toHaveLength(12)
    expect(code).toBe(0)
  })

  test('gives the same report on DynamoDB', async () => {
    const [onDynamoDb, inMemory] = await Promise.all(
      ['dynamodb', 'memory'].map(async (store) => {
        const { code, out, err } = await replay(files(shelves, orders), '--again', '--json', '--store', store)
        expect([code, err]).toEqual([0, expect.anything()])
        const { commandsPerSecond: _, ...rest } = JSON.parse(out) as { readonly commandsPerSecond: number }
        return rest
      }),
    )
    expect(onDynamoDb).toEqual(inMemory)
  })

  test('exits 1 where DynamoDB needs the Java that is not there, and says in one line what to install', async () => {
    const sold = await written(files(shelves, orders))
    const { code, out, err } = await endedIn({ PATH: folder }, ...sold, '--store', 'dynamodb')
    expect(err).toMatch(/^DynamoDB Local needs Java, .* Install Java 17 .*\n$/)
    expect([code, out]).toEqual([1, ''])
  })

  test('exits 2 for services that are none, and says what is wrong with them', async () => {
    const file = join(folder, 'services.json')
    await writeFile(file, JSON.stringify({ dynamoDb: 'http://db.example:1', kms: {} }))
    const { code, err } = await replay(files(shelves, orders), '--store', 'dynamodb', '--services', file)
    expect(code).toBe(2)
    for (const pointer of ['/dynamoDb', '/kms/endpoint', '/kms/keyId']) expect(err).toContain(pointer)
  })

  test('ends with a table for a person', async () => {
    const { code, out } = await replay(files(shelves, orders), '--again')
    expect(out).toMatch(/^orders +2$/m)
    expect(out).toMatch(/^captured at Stripe +508\.18 USD$/m)
    expect(out).toMatch(/^newEvents: 0$/m)
    expect(code).toBe(0)
  })

  test('exits 1 where the shop does not come to what the files say, and says in what', async () => {
    const cheap: Placed = {
      ...orders[0],
      day: 0,
      customer: 'VINET',
      freight: 0,
      lines: [{ ...line, cents: 1 }],
    }
    const { code, out, err } = await replay(files(shelves, [cheap]), '--json')
    expect(JSON.parse(out)).toMatchObject({ orders: 1, byStatus: { canceled: 1 }, capturedCents: 0 })
    expect(err).toContain('capturedCents is 0, not 11')
    expect(code).toBe(1)
  })

  test('exits 2 for a malformed file with its file, line and column, and replays nothing', async () => {
    const [products, sold] = files(shelves, orders)
    const { code, out, err, ordersFile } = await replay([products, sold.replace(',1300,', ',-1300,')])
    expect(err).toBe(`${ordersFile}:4:7: unit_price_cents is not a whole number from 0 to 99999999\n`)
    expect([code, out]).toEqual([2, ''])
  })

  test('exits 2 and says how it is used where it is not used so, and 0 where it is asked', async () => {
    const [fewer, more, other, asked] = await Promise.all([
      ended('a.csv'),
      ended('a.csv', 'b.csv', 'c.csv'),
      ended('a.csv', 'b.csv', '--fast'),
      ended('--help'),
    ])
    for (const { code, out, err } of [fewer, more, other]) {
      expect(err).toContain('pnpm replay <products.csv> <orders.csv> [--json] [--again]')
      expect([code, out]).toEqual([2, ''])
    }
    expect(asked.out).toContain('pnpm replay <products.csv> <orders.csv> [--json] [--again]')
    expect(asked.code).toBe(0)
    expect(asked.out.split('\n').filter((text) => text.length > 80)).toEqual([])
  })

  test('exits 2 for a file that cannot be read', async () => {
    const { code, out, err } = await ended(join(folder, 'none.csv'), folder)
    expect(err).toBe(`${join(folder, 'none.csv')} cannot be read (ENOENT).\n`)
    expect([code, out]).toEqual([2, ''])
  })
})
