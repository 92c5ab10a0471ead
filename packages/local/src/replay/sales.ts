/**
 * Real sales, read from two CSV files: a catalogue, and orders of one row per line.
 *
 * Every fault is said with its file's line and column; nothing is taken from a file that has one.
 */
import { decode, E, IntegerType, integer, type RecordType, record, type TypeOf, text } from '@everfold/core'
import { Purchase } from '@everfold/ecommerce'
import { type CsvFault, type CsvRow, cellFault, csvRows } from './csv.ts'

/** What can be charged has eight digits. Source: https://docs.stripe.com/currencies (minimum and maximum amounts). */
const MAX_CHARGE_CENTS = 99_999_999

const Id = text('Id', { maxLength: 32, pattern: /^[A-Za-z0-9_-]+$/ })
const Cents = integer('Cents', 0, MAX_CHARGE_CENTS)
const Units = integer('Units', 0, 1_000_000)
const Percent = integer('Percent', 0, 100)
const DateText = text('Date', { minLength: 10, maxLength: 10, pattern: /^\d{4}-\d{2}-\d{2}$/ })

const ProductRow = record('ProductRow', {
  product_id: Id,
  name: text('Name'),
  category: text('Category', { maxLength: 64 }),
  unit_price_cents: Cents,
  units_in_stock: Units,
  reorder_level: Units,
  discontinued: integer('Flag', 0, 1),
})
export type ProductRow = TypeOf<typeof ProductRow>

const OrderRow = record('OrderRow', {
  order_id: Id,
  customer_id: Id,
  order_date: DateText,
  freight_cents: Cents,
  country: text('Country', { maxLength: 64 }),
  product_id: Id,
  unit_price_cents: Cents,
  quantity: integer('Quantity', 1, 1_000_000),
  discount_percent: Percent,
})
export type OrderRow = TypeOf<typeof OrderRow>

export interface Sale {
  readonly orderId: string
  readonly customerId: string
  /** Midnight UTC of the order's date, in milliseconds since 1970. */
  readonly dateMs: number
  readonly freightCents: number
  readonly country: string
  readonly lines: ReadonlyArray<OrderRow>
}

export const readProducts = (
  file: string,
  content: Uint8Array,
): E.Either<CsvFault, ReadonlyArray<ProductRow>> => {
  const rows = readRows(file, content, ProductRow)
  if (E.isLeft(rows)) return rows
  const seen = new Set<string>()
  for (const { value, fault } of rows.right) {
    if (seen.has(value.product_id)) return fault('product_id', `${value.product_id} is there twice`)
    seen.add(value.product_id)
  }
  return E.right(rows.right.map(({ value }) => value))
}

/** The rows of one order stand together or apart; they must agree on what they say of it, and sell known products. */
export const readSales = (
  file: string,
  content: Uint8Array,
  products: ReadonlyArray<ProductRow>,
): E.Either<CsvFault, ReadonlyArray<Sale>> => {
  const rows = readRows(file, content, OrderRow)
  if (E.isLeft(rows)) return rows
  const known = new Set(products.map(({ product_id }) => product_id))
  const orders = new Map<string, Array<Located<OrderRow>>>()
  for (const row of rows.right) {
    const { product_id: product, order_id: order } = row.value
    if (!known.has(product)) return row.fault('product_id', `${product} is no product of the catalogue`)
    const lines = orders.get(order)
    if (lines === undefined) orders.set(order, [row])
    else lines.push(row)
  }
  const sales: Array<Sale> = []
  for (const [first, ...more] of orders.values()) {
    const sale = first === undefined ? undefined : saleOf(first, more)
    if (sale !== undefined && E.isLeft(sale)) return sale
    if (sale !== undefined) sales.push(sale.right)
  }
  return E.right(sales.toSorted((one, other) => one.dateMs - other.dateMs))
}

const saleOf = (
  first: Located<OrderRow>,
  more: ReadonlyArray<Located<OrderRow>>,
): E.Either<CsvFault, Sale> => {
  const { order_id: orderId, customer_id: customerId, order_date, freight_cents, country } = first.value
  const dateMs = midnightOf(order_date)
  if (dateMs === undefined) return first.fault('order_date', `${order_date} is no date from 1970-01-02 on`)
  const sold = new Set<string>()
  let cents: number = freight_cents
  for (const { value: row, fault } of [first, ...more]) {
    const differing = SHARED.find((name) => row[name] !== first.value[name])
    if (differing !== undefined) return fault(differing, `is not as in the first line of order ${orderId}`)
    if (sold.has(row.product_id)) return fault('product_id', `${row.product_id} is in order ${orderId} twice`)
    sold.add(row.product_id)
    if (sold.size > Purchase.MAX_LINES)
      return fault('product_id', `order ${orderId} has more than ${Purchase.MAX_LINES} lines`)
    cents += netCents(row)
    if (cents > MAX_CHARGE_CENTS)
      return fault('quantity', `order ${orderId} comes to more than ${MAX_CHARGE_CENTS} cents`)
  }
  const lines = [first, ...more].map(({ value }) => value)
  return E.right({ orderId, customerId, dateMs, freightCents: freight_cents, country, lines })
}

/** What every line of an order says of the whole order. */
const SHARED = ['customer_id', 'order_date', 'freight_cents', 'country'] as const

/** Opening comes a day before the first order, and no time is before 1970. */
const midnightOf = (date: string): number | undefined => {
  const dateMs = Date.parse(`${date}T00:00:00Z`)
  const exists = !Number.isNaN(dateMs) && new Date(dateMs).toISOString().startsWith(date)
  return exists && dateMs >= DAY_MS ? dateMs : undefined
}

const DAY_MS = 24 * 3_600_000

/** A line net of its discount, rounded half up. */
export const netCents = ({
  unit_price_cents: cents,
  quantity,
  discount_percent: percent,
}: OrderRow): number => Math.floor((cents * quantity * (100 - percent) + 50) / 100)

interface Located<Row> {
  readonly value: Row
  fault(this: void, column: keyof Row, detail: string): E.Either<CsvFault, never>
}

const readRows = <Row>(
  file: string,
  content: Uint8Array,
  codec: RecordType<Row>,
): E.Either<CsvFault, ReadonlyArray<Located<Row>>> => {
  const names = Object.keys(codec.required)
  const found = csvRows(file, content)
  if (E.isLeft(found)) return found
  const [header = { cells: [], line: 1 }, ...rows] = found.right
  const wrong = unlike(names, header.cells)
  if (wrong !== undefined) return cellFault(file, header, wrong, `the header is not ${names.join(',')}`)
  const located: Array<Located<Row>> = []
  for (const row of rows) {
    const decoded = decodeRow(file, row, names, codec)
    if (E.isLeft(decoded)) return decoded
    const fault: Located<Row>['fault'] = (column, detail) =>
      cellFault(file, row, names.indexOf(String(column)) + 1, detail)
    located.push({ value: decoded.right, fault })
  }
  return E.right(located)
}

/** The first column that is not as it should be. */
const unlike = (names: ReadonlyArray<string>, cells: ReadonlyArray<string>): number | undefined => {
  const wrong = names.findIndex((name, at) => cells[at] !== name)
  if (wrong >= 0) return wrong + 1
  return cells.length > names.length ? names.length + 1 : undefined
}

const decodeRow = <Row>(
  file: string,
  row: CsvRow,
  names: ReadonlyArray<string>,
  codec: RecordType<Row>,
): E.Either<CsvFault, Row> => {
  const { cells } = row
  if (cells.length !== names.length) {
    const column = Math.min(cells.length, names.length) + 1
    return cellFault(file, row, column, `the row has ${cells.length} fields, not ${names.length}`)
  }
  const input = names.map((name, at) => [name, cellValue(codec.required[name], cells[at])] as const)
  const decoded = decode(codec, Object.fromEntries(input))
  if (E.isRight(decoded)) return decoded
  const [first] = decoded.left.errors
  const name = first?.pointer.slice(1) ?? ''
  return cellFault(file, row, names.indexOf(name) + 1, `${name} ${first?.detail ?? 'is not valid'}`)
}

/** Whole numbers stand as they are written, without a plus, leading zeros or an exponent. */
const cellValue = (codec: unknown, cell: string | undefined): unknown =>
  codec instanceof IntegerType && cell !== undefined && /^(0|-?[1-9]\d{0,14})$/.test(cell)
    ? Number(cell)
    : cell
