/** A CSV file (RFC 4180, in UTF-8) as rows of cells that know where they stand. */
import { E } from '@everfold/core'
import { CsvError, parse } from 'csv-parse/sync'

/** What is wrong with a file, and where: lines count from 1, and so do columns, which are the fields of a row. */
export interface CsvFault {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly detail: string
}

export interface CsvRow {
  readonly cells: ReadonlyArray<string>
  /** Where the row begins; a quoted cell may go on to further lines. */
  readonly line: number
}

/** The fault of one cell, at the line on which that cell begins. */
export const cellFault = (
  file: string,
  { cells, line }: CsvRow,
  column: number,
  detail: string,
): E.Either<CsvFault, never> => {
  const before = cells.slice(0, column - 1).reduce((count, cell) => count + cell.split('\n').length - 1, 0)
  return E.left({ file, line: line + before, column, detail })
}

/** All rows but blank lines. */
export const csvRows = (file: string, content: Uint8Array): E.Either<CsvFault, ReadonlyArray<CsvRow>> => {
  const bytes = Buffer.from(new TextDecoder().decode(content))
  const lineAt = lineCounter(bytes)
  const rows: Array<CsvRow> = []
  try {
    let from = 0
    for (const { record, info } of parsed(bytes)) {
      rows.push({ cells: record, line: lineAt(from) })
      from = info.bytes
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // The parser's own count of lines goes wrong at quoted line ends; its count of bytes stops before the faulty cell.
    const { code, bytes: from, column } = error as CsvError & { bytes: number; column: number }
    return E.left({ file, line: lineAt(from), column: column + 1, detail: DETAILS[code] ?? 'is not CSV' })
  }
  for (const row of rows) {
    const lost = row.cells.findIndex((cell) => cell.includes('\uFFFD'))
    if (lost >= 0) return cellFault(file, row, lost + 1, 'is not text in UTF-8')
  }
  return E.right(rows)
}

const DETAILS: { readonly [code: string]: string } = {
  CSV_QUOTE_NOT_CLOSED: 'opens a quote that is never closed',
  CSV_INVALID_CLOSING_QUOTE: 'has text after its closing quote',
  INVALID_OPENING_QUOTE: 'has a quote, but does not begin with it',
}

interface Parsed {
  readonly record: ReadonlyArray<string>
  /** Where the row ends. */
  readonly info: { readonly bytes: number }
}

const parsed = (bytes: Buffer): ReadonlyArray<Parsed> => {
  const options = { info: true, relax_column_count: true, skip_empty_lines: true } as const
  return parse(bytes, { ...options, record_delimiter: ['\r\n', '\n'] }) as unknown as ReadonlyArray<Parsed>
}

/** The line of the first row that begins at or after an offset; asked of ever greater offsets. */
const lineCounter = (bytes: Buffer): ((offset: number) => number) => {
  let [at, line] = [0, 1]
  const isBlank = () => bytes[at] === NEWLINE || (bytes[at] === RETURN && bytes[at + 1] === NEWLINE)
  return (offset) => {
    for (; at < bytes.length && (at < offset || isBlank()); at += 1) if (bytes[at] === NEWLINE) line += 1
    return line
  }
}

const NEWLINE = 0x0a
const RETURN = 0x0d
