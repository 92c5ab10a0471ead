/**
 * Real sales, read from two CSV files: a catalogue, and orders of one row per line.
 *
 * Every fault is said with its file's line and column; nothing is taken from a file that has one.
 */
import { type Codec, decode, E, type InputFault, integer, record, type TypeOf, text } from '@everfold/core'
import { CsvError, parse } from 'csv-parse/sync'

const Id = text('Id', { maxLength: 32, pattern: /^[A-Za-z0-9_-]+$/ })
const Cents = integer('Cents', 0, 1_000_000_000)
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

/** What is wrong with a file, and where: lines and columns count from 1. */
export interface CsvFault {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly detail: string
}

export const readProducts = (
  file: string,
  content: Uint8Array,
): E.Either<CsvFault, ReadonlyArray<ProductRow>> => {
  const rows = readRows(file, content, ProductRow)
  if (E.isLeft(rows)) return rows
  const seen = new Set<string>()
  for (const { value, line } of rows.right) {
    if (seen.has(value.product_id))
      return fault(file, line, 1, `the product ${value.product_id} is there twice`)
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
  const sales = new Map<string, { sale: Sale; lines: Array<OrderRow> }>()
  for (const { value: row, line } of rows.right) {
    if (!known.has(row.product_id)) return fault(file, line, 6, `there is no product ${row.product_id}`)
    const dateMs = Date.parse(`${row.order_date}T00:00:00Z`)
    if (Number.isNaN(dateMs) || new Date(dateMs).toISOString().slice(0, 10) !== row.order_date)
      return fault(file, line, 3, `${row.order_date} is no date`)
    const { order_id: orderId, customer_id: customerId, freight_cents: freightCents, country } = row
    const lines: Array<OrderRow> = []
    const found = sales.get(orderId) ?? {
      sale: { orderId, customerId, dateMs, freightCents, country, lines },
      lines,
    }
    const { sale } = found
    if (sale.customerId !== customerId || sale.dateMs !== dateMs || sale.freightCents !== freightCents)
      return fault(file, line, 1, `the lines of order ${orderId} disagree on its customer, date or freight`)
    if (found.lines.some((other) => other.product_id === row.product_id))
      return fault(file, line, 6, `order ${orderId} sells product ${row.product_id} twice`)
    found.lines.push(row)
    sales.set(orderId, found)
  }
  const all = [...sales.values()].map(({ sale }) => sale)
  return E.right(all.toSorted((one, other) => one.dateMs - other.dateMs))
}

interface Located<Row> {
  readonly value: Row
  readonly line: number
}

const readRows = <Row>(
  file: string,
  content: Uint8Array,
  codec: Codec<Row> & { readonly required: { readonly [column: string]: Codec<unknown> } },
): E.Either<CsvFault, ReadonlyArray<Located<Row>>> => {
  const columns = Object.keys(codec.required)
  const cells = cellsOf(file, content)
  if (E.isLeft(cells)) return cells
  const [header, ...rows] = cells.right
  if (header === undefined) return fault(file, 1, 1, `is empty; its header is ${columns.join(',')}`)
  const wrong = columns.findIndex((column, at) => header.record[at] !== column)
  if (wrong >= 0 || header.record.length !== columns.length)
    return fault(file, 1, Math.max(wrong, 0) + 1, `the header is not ${columns.join(',')}`)
  const located: Array<Located<Row>> = []
  for (const { record: values, info } of rows) {
    if (values.length !== columns.length)
      return fault(file, info.lines, values.length, `has ${values.length} fields, not ${columns.length}`)
    const input = Object.fromEntries(
      columns.map((column, at) => [column, cellValue(codec.required[column], values[at])]),
    )
    const decoded = decode(codec, input)
    if (E.isLeft(decoded)) return faultOf(file, info.lines, columns, decoded.left.errors)
    located.push({ value: decoded.right, line: info.lines })
  }
  return E.right(located)
}

type Cells = ReadonlyArray<{
  readonly record: ReadonlyArray<string>
  readonly info: { readonly lines: number }
}>

const cellsOf = (file: string, content: Uint8Array): E.Either<CsvFault, Cells> => {
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true }).decode(content)
    const cells: unknown = parse(decoded, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    })
    return E.right(cells as Cells)
  } catch (error) {
    if (!(error instanceof CsvError)) return fault(file, 1, 1, 'is not text in UTF-8')
    const { lines, column, message } = error as CsvError & { lines?: number; column?: number | string }
    return fault(file, lines ?? 1, typeof column === 'number' ? column + 1 : 1, message)
  }
}

const cellValue = (codec: Codec<unknown> | undefined, cell: string | undefined): unknown =>
  codec !== undefined && 'min' in codec && cell !== undefined && /^-?\d{1,15}$/.test(cell)
    ? Number(cell)
    : cell

const faultOf = (
  file: string,
  line: number,
  columns: ReadonlyArray<string>,
  [first]: ReadonlyArray<InputFault>,
): E.Either<CsvFault, never> => {
  const name = first?.pointer.slice(1) ?? ''
  return fault(file, line, columns.indexOf(name) + 1, `${name} ${first?.detail ?? 'is not valid'}`)
}

const fault = (file: string, line: number, column: number, detail: string): E.Either<CsvFault, never> =>
  E.left({ file, line, column, detail })
