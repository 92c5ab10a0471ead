import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { type LocalEventBridge, localClient, startEventBridge } from '@everfold/aws-local'
import { envelope, messageOf, type StreamName, streamName } from '@everfold/core'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { letterOf } from '../../src/letter.ts'
import { type PublishedEvent, publishedEvents } from '../../src/relay/index.ts'
import { dynamoEventStore } from '../../src/store/event-store.ts'
import { dynamoViewStore } from '../../src/store/view-store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { must } from '../must.ts'
import { keep, type Shopping, shopping } from '../shop.ts'
import { CONFIG, everfold, lines, type Surroundings, start } from './everfold.ts'
import configuration from './shop.config.ts'

// Each command is a process, and a busy machine takes its time to start one.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const endpoint = inject('endpoints').dynamoDb
const client = new DynamoDBClient(localClient(endpoint))
const clock = systemClock
const { events, views } = configuration.tables

/** A command over the tables of the tests. */
const run = (args: ReadonlyArray<string>, surroundings?: Surroundings) =>
  everfold([...args, '--config', CONFIG, '--endpoint', endpoint], surroundings)

let shop: Shopping
let order: StreamName
beforeAll(async () => {
  const [made, created] = await Promise.all([shopping(), run(['tables', 'create', '--unguarded', '--json'])])
  expect(lines(created)).toEqual([
    { table: events, status: 'ACTIVE', differences: [] },
    { table: views, status: 'ACTIVE', differences: [] },
  ])
  shop = made
  order = streamName('order', made.orderId)
  const store = dynamoEventStore({ client: DynamoDBDocumentClient.from(client), table: events, clock })
  await keep(made.log, store)
})

const idOf = ({ id }: PublishedEvent): string => id

/** No line is longer than the terminal, but for a name that is. */
const expectToFit = (out: string, width: number): void => {
  for (const line of out.split('\n')) if (!/^\s*([\w ]+ )?\S+$/.test(line)) expect(line.slice(width)).toBe('')
}

describe('everfold tables', () => {
  test('finds them as they have to be, and says what is otherwise', async () => {
    const [check, other, guarded] = await Promise.all([
      run(['tables', 'check', '--unguarded']),
      otherTable('cli-other').then((file) =>
        everfold(['tables', 'create', '--unguarded', '--config', file, '--endpoint', endpoint]),
      ),
      run(['tables', 'check']),
    ])
    expect(check).toMatchObject({ code: 0, out: `${events}  ACTIVE\n${views}  ACTIVE\n`, err: '' })
    expect(other).toMatchObject({ code: 1, out: '' })
    expect(other.err).toContain('The table cli-other is another one: the key is id S; needed is pk S, sk N')
    expect(guarded.code).toBe(1)
    expect(guarded.err).toContain('--unguarded')
  })
})

describe('everfold stream', () => {
  test('shows commits, who asked, and the events', async () => {
    const { code, out, err } = await run(['stream', order])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`${order}@1  2026-11-02 06:00:00.000  version 1\n`)
    expect(out).toContain('    by           ann\n')
    expect(out).toContain(`    process      order-fulfilment/${shop.orderId}\n`)
    expect(out).toContain('    @2.0 OrderConfirmed\n')
    expectToFit(out, 80)
  })

  test('fits a narrow terminal', async () => {
    const { out } = await run(['stream', 'stock/tea', '--from', '30'], { env: { COLUMNS: '60' } })
    expect(out).toContain('    @30.0 StockReceived { units: 30 }\n')
    expectToFit(out, 60)
  })

  test('with --json gives one commit per line, whole', async () => {
    const found = lines(await run(['stream', 'stock/tea', '--from', '2', '--to', '31', '--json']))
    const stored = shop.log.filter(
      ({ stream, number }) => stream === 'stock/tea' && number >= 2 && number <= 31,
    )
    expect(found).toMatchObject(
      stored.map(({ number, version, answers }) => ({
        number,
        version,
        answers: answers.map((answer) => ({
          commandId: answer.id,
          metadata: answer.metadata,
          events: answer.events.map((event) => ({ event })),
        })),
      })),
    )
  })

  test('says where there is nothing', async () => {
    const [none, beyond] = await Promise.all([
      run(['stream', 'order/nobody-placed-it']),
      run(['stream', order, '--from', '7', '--json']),
    ])
    expect(none).toMatchObject({ code: 1, out: '', err: 'There is no stream order/nobody-placed-it.\n' })
    expect(JSON.parse(beyond.err)).toMatchObject({
      error: {
        kind: 'Failure',
        message: `${order} has no commit 7; its newest is 2.`,
        fault: { _tag: 'NoCommit', newest: 2 },
      },
    })
    expect(beyond.code).toBe(1)
  })

  test('ends quietly when its reader has seen enough', async () => {
    const { child, ended } = start(['stream', 'stock/tea', '--config', CONFIG, '--endpoint', endpoint])
    child.stdout.destroy()
    expect(await ended).toMatchObject({ code: 0, err: '' })
  })
})

describe('everfold state', () => {
  test('shows the state after a commit, and the snapshot that it was folded from', async () => {
    const [text, json] = await Promise.all([
      run(['state', 'stock/tea', '--at', '20']),
      run(['state', order, '--json']),
    ])
    expect(text.out).toContain('stock/tea@20  2026-11-01 19:00:00.000  version 20\n')
    expect(text.out).toMatch(/from the snapshot of commit \d+, and \d+ commits?\n/)
    expect(text.out).toContain('    received: 210,\n')
    expectToFit(text.out, 80)
    expect(lines(json)).toMatchObject([
      { stream: order, commit: 2, version: 2, folded: 2, state: { _tag: 'Order', status: 'confirmed' } },
    ])
  })

  test('knows only what the service knows', async () => {
    const { code, err } = await run(['state', 'claim/x'])
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringContaining(
        'The service has no aggregate or process claim.\n\nIt has product, price,',
      ),
    })
  })
})

describe('everfold why', () => {
  const receipts = [
    '--request',
    'POST /ecommerce/stock/tea/receipts',
    '--user',
    'root',
    '--stream',
    'stock/tea',
  ]

  test('finds the answer to a caller’s key', async () => {
    const { code, out } = await run(['why', 'receipt-1', ...receipts])
    expect(code).toBe(0)
    expect(out).toMatch(/^stock\/tea@1 {2}found in: remembered ids\n {2}command k/)
    expect(out).toContain(
      '    @1.0 StockReceived { units: 1 }\n  decided on version 0 (before the first commit)\n',
    )
    expect(out).toContain('  set nothing off\n')
    expectToFit(out, 80)
  })

  test('shows what a command set off, with the ids that make it count once', async () => {
    const { answers } = shop.log.find(({ stream }) => stream.startsWith('payment/')) ?? { answers: [] }
    const [asked] = answers
    const stream = streamName('payment', shop.orderId)
    const [found] = lines(await run(['why', asked?.id ?? '', '--stream', stream, '--json']))
    expect(found).toMatchObject({
      _tag: 'OnRecord',
      foundIn: 'newest commits',
      answer: { commandId: asked?.id, fingerprint: asked?.fingerprint, metadata: asked?.metadata },
      setOff: [{ _tag: 'Call', gateway: 'payments' }],
    })
  })

  test('says where it has looked in vain', async () => {
    const none = await run(['why', 'receipt-99', ...receipts])
    expect(none).toMatchObject({ code: 1, out: '' })
    expect(none.err).toContain(
      'is not on record in stock/tea.\n\nLooked for in: newest commits, remembered ids.\n',
    )
  })
})

describe('everfold rebuild', () => {
  test('fills a view, switches its readers, and goes on where it was when it is run again', async () => {
    const first = await run(['rebuild', 'orders', '--json'])
    expect(lines(first)).toMatchObject([
      { projection: 'orders', generation: '1', before: '1', commits: shop.log.length },
    ])
    expect(Number(lines(first)[0]?.['rows'])).toBeGreaterThan(0)
    expect(first.err).toContain(
      `rebuilding orders ==================== ${shop.log.length}/${shop.log.length} commits`,
    )
    const store = dynamoViewStore({ client: DynamoDBDocumentClient.from(client), table: views, clock })
    expect(must(await store.active('orders')())).toBe('1')
    const second = await run(['rebuild', 'orders'])
    expect(second.out).toBe(
      `orders: readers read generation 1 now; before, it was 1.\nScanned: ${shop.log.length} commits. Written: 0 rows.\n`,
    )
  })

  test('interrupted says how to go on', async () => {
    const args = ['rebuild', 'catalogue', '--segments', '1', '--config', CONFIG, '--endpoint', endpoint]
    const { child, said, ended } = start(args)
    const begun = new Promise<void>((resolve) => {
      child.stderr.on('data', () => {
        if (said.err.includes('rebuilding catalogue')) resolve()
      })
    })
    await Promise.race([begun, ended])
    child.kill('SIGINT')
    const { code, err } = await ended
    expect(code).toBe('SIGINT')
    expect(err).toContain('To go on:\neverfold rebuild catalogue --generation 1\n')
  })
})

describe('everfold republish', () => {
  let bus: LocalEventBridge
  const refused = new Set<string>()
  beforeAll(async () => {
    bus = await startEventBridge({
      entryFault: ({ Detail: detail = '' }) =>
        refused.has((JSON.parse(detail) as { readonly id: string }).id) ? 'NotAuthorized' : undefined,
    })
  })
  afterAll(() => bus.stop())

  /** The tables and the bus are at different addresses, which the SDK's own settings can say. */
  const publishing = (args: ReadonlyArray<string>) =>
    everfold(['republish', ...args, '--config', CONFIG], {
      env: { AWS_ENDPOINT_URL_DYNAMODB: endpoint, AWS_ENDPOINT_URL_EVENTBRIDGE: bus.endpoint },
    })
  const since = '2026-11-02T06:00:00Z'
  const wanted = () => shop.log.filter(({ timeMs }) => timeMs >= Date.parse(since))

  test('publishes every event since then, as the relay does, and counts them', async () => {
    const due = wanted().flatMap(publishedEvents)
    const dry = await publishing(['--since', since, '--dry-run', '--json'])
    expect(lines(dry)).toMatchObject([{ dryRun: true, events: due.length, complete: true }])
    expect(bus.published).toEqual([])
    const { code, out, err } = await publishing(['--since', since])
    expect({ code, out }).toEqual({
      code: 0,
      out: `Published: ${due.length} events of ${wanted().length} commits. Scanned: ${shop.log.length} commits.\n`,
    })
    expect(err).toContain(`republishing ==================== ${shop.log.length}/${shop.log.length} commits`)
    expect(bus.published.map(({ event }) => idOf(event.detail as PublishedEvent)).toSorted()).toEqual(
      due.map(idOf).toSorted(),
    )
    expect(bus.published[0]).toMatchObject({ bus: 'shop', event: { source: 'everfold.shop' } })
  })

  test('names what could not be published', async () => {
    refused.add(`${order}@1.0`)
    const args = ['--since', since, '--category', 'order']
    const [text, json] = [await publishing(args), await publishing([...args, '--json'])]
    expect(text).toMatchObject({ code: 1, out: expect.stringContaining('Published: 1 events of 1 commits.') })
    expect(text.err).toContain(
      `Not published: 1 commits.\n  ${order}@1  Not available: the bus shop. NotAuthorized`,
    )
    expect(json.code).toBe(1)
    expect(lines(json)).toMatchObject([{ failures: [{ stream: order, commit: 1 }] }])
    expect(JSON.parse(json.err.split('\n').at(-2) ?? '')).toMatchObject({
      error: { complete: true, failures: [{ stream: order, commit: 1 }] },
    })
  })
})

describe('everfold dead-letters', () => {
  const at = inject('endpoints').sqs
  const sqs = new SQSClient(localClient(at))
  const queue = async (name: string): Promise<string> => {
    const input = { QueueName: name, Attributes: { FifoQueue: 'true' } }
    return (await sqs.send(new CreateQueueCommand(input))).QueueUrl ?? ''
  }

  test('shows them, and sends back what decodes', async () => {
    const [dead, work] = await Promise.all([queue('cli-dead.fifo'), queue('cli-work.fifo')])
    const command = { _tag: 'CancelOrder', reason: 'regret', by: 'shopper' }
    const id = shop.log.find(({ stream }) => stream === order)?.answers[0]?.id
    if (id === undefined) throw new Error('no order')
    const dispatch = {
      _tag: 'Dispatch' as const,
      stream: order,
      envelope: envelope(command, { id, timeMs: 1 }),
    }
    for (const [group, body] of Object.entries({ good: letterOf(messageOf(dispatch)), bad: '{"id":1}' }))
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: dead,
          MessageBody: body,
          MessageGroupId: group,
          MessageDeduplicationId: group,
        }),
      )
    const options = ['--queue', dead, '--config', CONFIG, '--endpoint', at]
    const list = await everfold(['dead-letters', 'list', ...options])
    expect(list).toMatchObject({ code: 0, err: '' })
    expect(list.out).toContain(
      `  command ${id} for ${order}\n    CancelOrder { reason: 'regret', by: 'shopper' }\n`,
    )
    expect(list.out).toContain('  does not decode: /id is not text')
    expect(list.out).toMatch(/2 messages\.\n$/)
    const replay = await everfold(['dead-letters', 'replay', ...options, '--to', work, '--json'])
    expect(lines(replay)).toMatchObject([{ to: work, sent: 1, left: [{ why: 'undecodable' }] }])
    expect(replay.code).toBe(1)
    const rest = await everfold(['dead-letters', 'list', ...options, '--json'])
    expect(lines(rest)).toMatchObject([{ body: '{"id":1}', content: { _tag: 'Undecodable' } }])
    const moved = await everfold(['dead-letters', 'list', '--queue', work, ...options.slice(2), '--json'])
    expect(lines(moved)).toMatchObject([{ group: 'good', content: { _tag: 'Command', commandId: id } }])
  })

  test('needs a queue that is one', async () => {
    const options = ['--config', CONFIG, '--endpoint', at]
    const gone = `${at}/000000000000/gone.fifo`
    const none = await everfold(['dead-letters', 'list', '--queue', gone, ...options])
    expect(none).toMatchObject({
      code: 1,
      err: expect.stringContaining('Not available: the dead-letter queue'),
    })
  })
})

/** A configuration of its own, in a directory of its own. */
const directories: Array<string> = []
const configured = async (source: string, name = 'everfold.config.mjs'): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'everfold-'))
  directories.push(directory)
  await writeFile(join(directory, name), source)
  return join(directory, name)
}
afterAll(() => Promise.all(directories.map((one) => rm(one, { recursive: true }))))

const withTables = (tables: object) =>
  configured(`import shop from ${JSON.stringify(CONFIG)}
export default { ...shop, tables: ${JSON.stringify(tables)} }`)

const otherTable = async (name: string): Promise<string> => {
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  )
  return withTables({ events: name, views: 'cli-other-views' })
}

describe('the configuration', () => {
  test('is found in the working directory', async () => {
    const file = await configured(`export { default } from ${JSON.stringify(CONFIG)}`)
    const found = await everfold(['stream', order, '--json', '--endpoint', endpoint], {
      cwd: join(file, '..'),
    })
    expect(lines(found)).toHaveLength(2)
  })

  test.each([
    ['that breaks', () => configured('throw new Error("no luck")'), 'cannot be loaded.\nError: no luck'],
    ['without a service', () => configured('export default { tables: {} }'), '/service is required'],
    [
      'with a field too many',
      () => configured(`import s from ${JSON.stringify(CONFIG)}\nexport default { ...s, table: 1 }`),
      '/table is not a known field',
    ],
  ])('%s is refused with its path', async (_, make, words) => {
    const file = await make()
    const { code, out, err } = await everfold(['stream', order, '--config', file])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(file)
    expect(err).toContain(words)
  })

  test('none at all is refused with the directory', async () => {
    const cwd = join(await configured('', 'other.mjs'), '..')
    const { code, err } = await everfold(['state', order, '--json'], { cwd })
    expect(code).toBe(2)
    const { error } = JSON.parse(err) as {
      readonly error: { readonly kind: string; readonly message: string }
    }
    expect(error).toMatchObject({ kind: 'Misuse', message: expect.stringContaining(cwd) })
  })

  test('that names other tables than there are is told which command tells more', async () => {
    const missing = await withTables({ events: 'cli-missing', views: 'cli-missing' })
    const [stream, rebuild, check] = await Promise.all([
      everfold(['stream', order, '--config', missing, '--endpoint', endpoint]),
      everfold(['rebuild', 'orders', '--config', missing, '--endpoint', endpoint]),
      everfold(['tables', 'check', '--config', missing, '--endpoint', endpoint]),
    ])
    for (const { code, err } of [stream, rebuild]) {
      expect(code).toBe(1)
      expect(err).toContain('ResourceNotFoundException')
      expect(err).toContain('`everfold tables check` tells.')
    }
    expect(check).toMatchObject({ code: 1, out: 'cli-missing  ABSENT\ncli-missing  ABSENT\n' })
  })
})

test('a wrong argument ends with 2, and is told the usage', async () => {
  const [text, json] = await Promise.all([
    everfold(['state', order, '--at', '0']),
    everfold(['why', '--json']),
  ])
  expect(text).toEqual({
    code: 2,
    out: '',
    err: `--at "0" is not a whole number from 1 on.

everfold state <stream> [--at commit]
\`everfold state --help\` says more.
`,
  })
  expect(json).toMatchObject({ code: 2, out: '' })
  expect(JSON.parse(json.err)).toMatchObject({ error: { kind: 'Misuse', message: '<id> is missing.' } })
})
