/** The page `docs/cost.md`, made of measured figures and the price table: the same figures always make the same page. */
import {
  capacityDollars,
  commitBytes,
  figure,
  ITEM_OVERHEAD_BYTES,
  type Line,
  type Measured,
  ourShop,
  plainShop,
  plainShopOf2024,
  READ_UNIT_BYTES,
  SHOP,
  total,
} from './costs.ts'
import { dollarsFor, PRICES, PRICES_OF } from './prices.ts'

const LENGTHS = [1, 10, 100, 1_000, 10_000]
const CONTENDERS = ['everfold', 'castore', 'equinox-js']
const MILLION = 1_000_000

const OURS = [
  'warm/requests',
  'warm/wcu',
  'late-repeat/requests',
  'late-repeat/rcu',
  'large-state/requests',
  'large-state/rcu',
  'large-state/wcu',
  'contended/writers/writes',
  'contended/fifo/writes',
  'contended/fifo/wcu',
  'projector/requests',
  'projector/rcu',
  'projector/wcu',
]

/** Those of a run's results that the page counts with. */
export const relevant = (results: ReadonlyArray<Measured>): ReadonlyArray<Measured> => {
  const pick = (name: string, contender?: string): Measured => ({
    name: `dynamodb/${name}`,
    ...(contender === undefined ? {} : { contender }),
    value: figure(results, name, contender),
    unit: name.split('/').at(-1) ?? '',
  })
  return [
    ...LENGTHS.flatMap((length) =>
      CONTENDERS.flatMap((contender) =>
        ['requests', 'rcu', 'wcu'].map((what) => pick(`command/${length}/${what}`, contender)),
      ),
    ),
    ...OURS.map((name) => pick(name)),
  ]
}

const OPENING = '```json\n'
const CLOSING = '\n```\n'

/** The figures that a page was made of. */
export const measuredIn = (page: string): ReadonlyArray<Measured> =>
  page
    .slice(page.lastIndexOf(OPENING) + OPENING.length, page.lastIndexOf(CLOSING))
    .split('\n')
    .map((json) => JSON.parse(json) as Measured)

export const pageOf = (measured: ReadonlyArray<Measured>): string =>
  [intro, commands, others, shop, prices, evidence].map((part) => part(measured)).join('\n')

const intro = (): string => `# What it costs

Made by \`pnpm cost\` from what \`pnpm bench dynamodb\` counts on DynamoDB Local and from the prices at the end, which are
AWS's list prices for us-east-1 of ${PRICES_OF}. Dollars are US dollars, for a million unless said otherwise.
`

const commands = (measured: ReadonlyArray<Measured>): string => `## A command

With a fresh id, on a stream of so many events, with nothing in a cache: requests, read units and write units of one
command, and what the units of a million come to. castore and equinox-js do the same work, but are not idempotent.

${table(
  ['Events', ...CONTENDERS.flatMap((name) => [name, '$'])],
  LENGTHS.map((length) => commandRow(measured, length)),
)}
equinox-js reads eventually consistently, at half the price. It needs a transaction every 345 events, of which DynamoDB
Local says too little and AWS charges twice. A command that is put on record without a date of its own for its id can
need one here, too: its commit and its marker are then written together, at twice the price of each.
`

const commandRow = (measured: ReadonlyArray<Measured>, length: number): ReadonlyArray<string> =>
  [length.toLocaleString('en-US')].concat(
    CONTENDERS.flatMap((contender) => {
      const of = (what: string) => figure(measured, `command/${length}/${what}`, contender)
      return [
        `${of('requests')}: ${of('rcu')} + ${of('wcu')}`,
        money(capacityDollars(of('rcu'), of('wcu')) * MILLION),
      ]
    }),
  )

const others = (measured: ReadonlyArray<Measured>): string => {
  const of = (name: string) => figure(measured, name)
  const wcu = figure(measured, 'command/1000/wcu', 'everfold')
  const view = capacityDollars(of('projector/rcu'), of('projector/wcu')) * MILLION
  const bytes = commitBytes(measured)
  const scan = dollarsFor('read', (bytes / READ_UNIT_BYTES) * MILLION)
  const rows: ReadonlyArray<readonly [string, number]> = [
    ["commands, the stream's head in the cache", capacityDollars(0, of('warm/wcu')) * MILLION],
    [
      'commands of ten writers at once, their writes alone',
      dollarsFor('write', of('contended/writers/writes') * wcu * MILLION),
    ],
    [
      'the same through a FIFO queue: the writes, and twelve requests of the queue for every ten commands',
      dollarsFor('write', of('contended/fifo/wcu') * MILLION) + dollarsFor('fifo', 1.2 * MILLION),
    ],
    [
      'commands on a state of 5,000 reservations',
      capacityDollars(of('large-state/rcu'), of('large-state/wcu')) * MILLION,
    ],
    ['repeats from 9,900 commits ago', dollarsFor('read', of('late-repeat/rcu') * MILLION)],
    ['commits taken into a view of one row', view],
    ['events on the bus', dollarsFor('event', MILLION)],
    ['timers', dollarsFor('schedule', MILLION)],
    ['calls of KMS for a data key', dollarsFor('kms', MILLION)],
    ['parts of large commits put at the claim check', dollarsFor('s3Put', MILLION)],
  ]
  return `## Everything else

${table(
  ['A million', '$'],
  rows.map(([what, dollars]) => [what, money(dollars)]),
)}
Of the queue's twelve requests, ten are the sends of ten senders, one takes the ten messages and one deletes them; who
sends ten at once needs three. A view takes in a commit by two writes, its row and how far the stream has come, and a read now and then. A **rebuild**
from a million commits reads the log for ${money(scan)} and takes it in for ${money(view)}, **${money(scan + view)}** together: as measured on streams
of ${SHOP.commitsPerStream} commits, by the projector. The first commit of a stream is the dearest, since nothing of the stream is known yet and
its row is new to the index too; shorter streams cost more for each commit, longer ones less. A commit weighs some ${Math.round(bytes)} bytes.
`
}

const shop = (measured: ReadonlyArray<Measured>): string => {
  const bills = [plainShopOf2024(), plainShop(), ourShop(measured)]
  const what = [...new Set(bills.flat().map((one) => one.what))]
  const row = (name: string, cell: (bill: ReadonlyArray<Line>) => string) => [name].concat(bills.map(cell))
  return `## The shop in a month

${millions(SHOP.requests)} million requests, ${millions(SHOP.reads)} million reads and ${millions(SHOP.writes)} million writes of rows.

${table(
  ['', 'plain, 2024', 'plain', 'Everfold'],
  [
    ...what.map((one) => row(one, (bill) => amount(bill, one))),
    row('together', (bill) => `**${money(total(bill))}**`),
  ],
)}
- **Plain** overwrites rows: no history, no outbox, no idempotency. The $76 that it is said to cost came without the
  arithmetic; the first column is a reading that comes to it: a request takes a gigabyte for 200 ms, a read and a write are one unit each,
  ${SHOP.storedGb} GB are stored and ${millions(SHOP.plainEvents)} million events published, at the prices of before November 2024 (DynamoDB twice today's;
  Lambda on x86). The second is the same today, on arm64.
- **Everfold** is counted high in what it does: every write of the plain design is a command of its own, with one event that one
  row of one view shows, nothing is in a cache, and every event is published. Its requests, its reads of rows and the
  size of its rows are taken to be the same.
- What is stored is counted with the ${ITEM_OVERHEAD_BYTES} bytes that DynamoDB adds to every item, a commit's and those that say how far
  the view has come: one of ${SHOP.progressBytes} bytes for each stream, with ${SHOP.commitsPerStream} commits in a stream, as in what was measured.
- Relay and projector get ${SHOP.batch} records at once, and take a gigabyte for ${SHOP.batchGbSeconds} s. Their reads of the stream are free, by
  Lambda's own trigger. The log is that of ${SHOP.monthsOfLog} months; it grows on.
- Left out of all: data transfer, logs, backups, DNS, WAF, Cognito, mail, and Stripe. Free tiers are not deducted.
`
}

const amount = (lines: ReadonlyArray<Line>, what: string): string => {
  const found = lines.filter((one) => one.what === what)
  return found.length === 0 ? '' : money(total(found))
}

const prices = (): string => `## Prices

${table(
  ['Service', '$', 'For', 'Checked', 'Source'],
  Object.values(PRICES).map(({ service, what, dollars, per, source, checked }) => [
    service,
    String(dollars),
    per === 1 ? what : `${per.toLocaleString('en-US')} ${what}`,
    checked ? 'yes' : 'no',
    source,
  ]),
)}
Checked: found in public copies of AWS's price list of 2026. The others are as they were known, and not verified.
`

const evidence = (measured: ReadonlyArray<Measured>): string => `## What was measured

${OPENING}${measured.map((one) => JSON.stringify(one)).join('\n')}${CLOSING}`

const money = (dollars: number): string => `$${dollars.toFixed(2)}`

const millions = (count: number): string => String(count / MILLION)

/** Its columns as wide as their widest cells, as the formatter wants them. */
const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((name, at) =>
    Math.max(3, name.length, ...rows.map((row) => (row[at] ?? '').length)),
  )
  const row = (cells: ReadonlyArray<string>) =>
    `| ${widths.map((width, at) => (cells[at] ?? '').padEnd(width)).join(' | ')} |`
  return [row(head), row(widths.map((width) => '-'.repeat(width))), ...rows.map(row), ''].join('\n')
}
