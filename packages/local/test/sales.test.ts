/** Files of sales: a valid one is read as it is written, and any other is refused with the place of its fault. */
import { E } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { CsvFault } from '../src/replay/csv.ts'
import { readProducts, readSales } from '../src/replay/sales.ts'

const PRODUCT_HEADER = 'product_id,name,category,unit_price_cents,units_in_stock,reorder_level,discontinued'
const ORDER_HEADER =
  'order_id,customer_id,order_date,freight_cents,country,product_id,unit_price_cents,quantity,discount_percent'

type Grid = ReadonlyArray<ReadonlyArray<string>>

/** Rows as text, and the line on which each of them begins. */
const written = (
  grid: Grid,
  { newline = '\n', quoted = false, bom = false, blanks = [] as ReadonlyArray<number> } = {},
): { readonly text: string; readonly lines: ReadonlyArray<number> } => {
  let [text, line] = [bom ? '\uFEFF' : '', 1]
  const lines: Array<number> = []
  for (const [at, row] of grid.entries()) {
    const blank = blanks[at] ?? 0
    text += newline.repeat(blank)
    lines.push(line + blank)
    const cells = row.map((cell) =>
      quoted || /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
    )
    text += cells.join(',') + newline
    line += blank + 1 + row.join('').split('\n').length - 1
  }
  return { text, lines }
}

const right = <A>(read: E.Either<CsvFault, A>): A => {
  if (E.isLeft(read)) throw new Error(JSON.stringify(read.left))
  return read.right
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const productsOf = (text: string) => readProducts('products.csv', bytesOf(text))
const knownProducts = right(
  productsOf(`${PRODUCT_HEADER}\n1,Chai,Beverages,1800,39,10,1\n2,Chang,Beverages,1900,17,25,0\n`),
)
const salesOf = (text: string) => readSales('orders.csv', bytesOf(text), knownProducts)

const faultOf = (read: E.Either<CsvFault, unknown>): CsvFault => {
  if (E.isRight(read)) throw new Error(`was accepted: ${JSON.stringify(read.right)}`)
  return read.left
}

/** Whatever was read, no exception, and a place within the file where there is a fault. */
const isPlaced = (read: E.Either<CsvFault, unknown>, content: Uint8Array): void => {
  if (E.isRight(read)) return
  const { line, column, detail } = read.left
  const lines = content.filter((byte) => byte === 0x0a).length + 1
  expect(Number.isSafeInteger(line) && line >= 1 && line <= lines).toBe(true)
  expect(Number.isSafeInteger(column) && column >= 1).toBe(true)
  expect(detail).not.toBe('')
}

const anyId = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/)
const anyWord = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((text) => text.isWellFormed() && !text.includes('\uFFFD'))
const anyCents = fc.oneof(fc.nat(10_000), fc.integer({ min: 0, max: 99_999_999 }))
const anyUnits = fc.nat(1_000_000)
const anyProductGrid = fc.uniqueArray(
  fc.tuple(
    anyId,
    fc.oneof(anyWord, fc.constantFrom('Chef "Anton"', 'a\nb', 'a\r\nb\r\nc', 'Gumbär, Gummibärchen', ' ')),
    anyWord,
    anyCents.map(String),
    anyUnits.map(String),
    anyUnits.map(String),
    fc.constantFrom('0', '1'),
  ),
  { maxLength: 6, selector: ([id]) => id },
)
const anyStyle = fc.record({
  newline: fc.constantFrom('\n', '\r\n'),
  quoted: fc.boolean(),
  bom: fc.boolean(),
  blanks: fc.array(fc.nat(2), { maxLength: 8 }),
})

const orderRow = (over: Readonly<Record<number, string>> = {}): ReadonlyArray<string> =>
  ['10248', 'VINET', '1996-07-04', '3238', 'France', '1', '1400', '12', '5'].map(
    (cell, at) => over[at + 1] ?? cell,
  )
const orderText = (...rows: Grid): string => written([ORDER_HEADER.split(','), ...rows]).text

describe('any bytes', () => {
  const nearlyCsv = fc
    .array(fc.constantFrom('"', ',', '\n', '\r', '\r\n', '1', '1996-07-04', '-', '\0', '\uFEFF', 'é'))
    .map((parts) => parts.join(''))

  property.prop([fc.oneof(fc.uint8Array({ maxLength: 200 }), nearlyCsv.map(bytesOf))], { numRuns: 1000 })(
    'are read, or refused with a line and a column, and never an exception',
    (content) => {
      isPlaced(readProducts('products.csv', content), content)
      isPlaced(readSales('orders.csv', content, knownProducts), content)
    },
  )

  property.prop(
    [fc.constantFrom(PRODUCT_HEADER, ORDER_HEADER), nearlyCsv, fc.uint8Array({ maxLength: 40 })],
    {
      numRuns: 1000,
    },
  )('after a proper header too', (header, text, more) => {
    const content = Buffer.concat([bytesOf(`${header}\n${text}`), more])
    isPlaced(readProducts('products.csv', content), content)
    isPlaced(readSales('orders.csv', content, knownProducts), content)
  })

  property.prop([fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 3 })], { numRuns: 1000 })(
    'put into a valid file too, at whatever place',
    (at, more) => {
      const valid = bytesOf(orderText(orderRow(), orderRow({ 6: '2' }), orderRow({ 1: '10249' })))
      const cut = at % (valid.length + 1)
      const content = Buffer.concat([valid.subarray(0, cut), more, valid.subarray(cut)])
      isPlaced(readSales('orders.csv', content, knownProducts), content)
    },
  )
})

describe('a valid file', () => {
  property.prop([anyProductGrid, anyStyle])(
    'is read as it was written, with whatever quotes, line ends, blank lines and byte order mark',
    (grid, style) => {
      const products = right(productsOf(written([PRODUCT_HEADER.split(','), ...grid], style).text))
      expect(products.map((product) => Object.values(product).map(String))).toEqual(grid)
      expect(products.every(({ unit_price_cents: cents }) => typeof cents === 'number')).toBe(true)
    },
  )

  property.prop([
    anyProductGrid.filter((grid) => grid.length > 0),
    anyStyle,
    fc.nat(),
    fc.integer({ min: 1, max: 7 }),
  ])('with one bad cell is refused at that very cell', (grid, style, at, column) => {
    const bad = at % grid.length
    const spoilt = grid.map((row, index) => (index === bad ? row.with(column - 1, '') : row))
    const { text, lines } = written([PRODUCT_HEADER.split(','), ...spoilt], style)
    const within =
      (spoilt[bad] ?? [])
        .slice(0, column - 1)
        .join('')
        .split('\n').length - 1
    expect(faultOf(productsOf(text))).toMatchObject({
      file: 'products.csv',
      line: (lines[bad + 1] ?? 0) + within,
      column,
    })
  })

  test('may have no rows', () => {
    expect(right(productsOf(PRODUCT_HEADER))).toEqual([])
    expect(right(salesOf(`${ORDER_HEADER}\r\n`))).toEqual([])
  })

  test('gathers the rows of an order, wherever they stand, and puts the orders by their dates', () => {
    const rows = [orderRow(), orderRow({ 1: 'early', 3: '1996-07-03' }), orderRow({ 6: '2' })]
    const sales = right(salesOf(orderText(...rows)))
    expect(sales.map(({ orderId, dateMs, lines }) => [orderId, dateMs, lines.length])).toEqual([
      ['early', Date.UTC(1996, 6, 3), 1],
      ['10248', Date.UTC(1996, 6, 4), 2],
    ])
  })
})

describe('a fault is placed', () => {
  const cases: ReadonlyArray<readonly [string, string, number, number]> = [
    ['an empty file', '', 1, 1],
    ['blank lines only', '\n\n', 1, 1],
    ['no header', 'a,b\n', 1, 1],
    ['a header that lacks its last column', ORDER_HEADER.replace(',discount_percent', ''), 1, 9],
    ['a header with one column more', `${ORDER_HEADER},more`, 1, 10],
    ['a header in another order', ORDER_HEADER.replace('order_id,customer_id', 'customer_id,order_id'), 1, 1],
    ['a header in capitals', ORDER_HEADER.toUpperCase(), 1, 1],
    ['a header after blank lines', `\n\r\n${ORDER_HEADER.replace('quantity', 'units')}`, 3, 8],
    ['a row that is cut', `${orderText(orderRow())}10249,TOMSP,1996`, 3, 4],
    ['a row that is too long', orderText([...orderRow(), '']), 2, 10],
    ['a row of one blank', `${orderText(orderRow())} \n`, 3, 2],
    ['a quote that is never closed', `${orderText(orderRow())}\n10249,"TOMSP,1996\n\n`, 4, 2],
    ['a quote within a field', orderText(orderRow()).replace('France', 'Fr"ance'), 2, 5],
    ['text after a closing quote', orderText(orderRow()).replace('France', '"Fr\n"ance'), 2, 5],
    ['an unknown product', orderText(orderRow(), orderRow({ 6: '3' })), 3, 6],
    ['a product twice in an order', orderText(orderRow(), orderRow()), 3, 6],
    ['another customer in an order', orderText(orderRow(), orderRow({ 2: 'TOMSP', 6: '2' })), 3, 2],
    ['another date in an order', orderText(orderRow(), orderRow({ 3: '1996-07-05', 6: '2' })), 3, 3],
    ['another freight in an order', orderText(orderRow(), orderRow({ 4: '0', 6: '2' })), 3, 4],
    ['another country in an order', orderText(orderRow(), orderRow({ 5: 'Peru', 6: '2' })), 3, 5],
    ['a day that does not exist', orderText(orderRow({ 3: '1997-02-29' })), 2, 3],
    ['a month that does not exist', orderText(orderRow({ 3: '1996-13-01' })), 2, 3],
    ['a date before there is time', orderText(orderRow({ 3: '0001-01-01' })), 2, 3],
    ['a date without its day', orderText(orderRow({ 3: '1996-07' })), 2, 3],
    ['a negative price', orderText(orderRow({ 7: '-1' })), 2, 7],
    ['a price with a fraction', orderText(orderRow({ 7: '1.5' })), 2, 7],
    ['a price beyond all bounds', orderText(orderRow({ 7: '9'.repeat(400) })), 2, 7],
    ['a quantity of none', orderText(orderRow({ 8: '0' })), 2, 8],
    ['a quantity beyond all bounds', orderText(orderRow({ 8: '1e999' })), 2, 8],
    ['a discount of 101', orderText(orderRow({ 9: '101' })), 2, 9],
    ['an order that no card can pay', orderText(orderRow({ 7: '99999999', 8: '2', 9: '0' })), 2, 8],
    ['a blank before a number', orderText(orderRow({ 9: ' 5' })), 2, 9],
    ['an id with a slash', orderText(orderRow({ 1: '../x' })), 2, 1],
  ]
  test.each(cases)('%s', (_title, text, line, column) => {
    expect(faultOf(salesOf(text))).toMatchObject({ file: 'orders.csv', line, column })
  })

  test('a product that is there twice', () => {
    const row = '1,Chai,Beverages,1800,39,10,1'
    const text = `${PRODUCT_HEADER}\n${row.replace('Chai', '"Ch\r\nai"')}\n\n${row}\n`
    expect(faultOf(productsOf(text))).toMatchObject({ line: 5, column: 1 })
  })

  test('bytes that are not UTF-8', () => {
    const [before, after] = [bytesOf(`${PRODUCT_HEADER}\n1,Ch`), bytesOf('i,Beverages,1800,39,10,1\n')]
    const content = Buffer.concat([before, Buffer.of(0xe4), after])
    expect(faultOf(readProducts('products.csv', content))).toMatchObject({ line: 2, column: 2 })
  })

  test('more lines than an order can have', () => {
    const ids = Array.from({ length: 501 }, (_, at) => String(at))
    const products = ids.map((id) => [id, 'x', 'y', '1', '0', '0', '0'])
    const catalogue = right(productsOf(written([PRODUCT_HEADER.split(','), ...products]).text))
    const text = orderText(...ids.map((id) => orderRow({ 6: id })))
    expect(faultOf(readSales('orders.csv', bytesOf(text), catalogue))).toMatchObject({ line: 502, column: 6 })
  })
})
