import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { type LocalEventBridge, localClient, startEventBridge } from '@everfold/aws-local'
import { type CommandId, deriveId, envelope, messageOf, type StreamName, streamName } from '@everfold/core'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { Misuse } from '../../src/cli/failure.ts'
import { perform } from '../../src/cli/perform.ts'
import { letterOf } from '../../src/letter.ts'
import { type PublishedEvent, publishedEvents } from '../../src/relay/index.ts'
import { dynamoEventStore } from '../../src/store/event-store.ts'
import { dynamoViewStore } from '../../src/store/view-store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { must } from '../must.ts'
import { keep, type Shopping, shopping } from '../shop.ts'
import { CONFIG, everfold, lines, type Surroundings, start } from './everfold.ts'
import { examples } from './page.ts'
import configuration from './shop.config.ts'

// Each command is a process, and a busy machine takes its time to start one.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const endpoint = inject('endpoints').dynamoDb
const client = new DynamoDBClient(localClient(endpoint))
const clock = systemClock
const { events, views } = configuration.tables

// For commands that fail in this process.
vi.stubEnv('AWS_ACCESS_KEY_ID', 'local')
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local')

const OVER = ['--config', CONFIG, '--endpoint', endpoint]

/** A command over the tables of the tests. */
const run = (args: ReadonlyArray<string>, surroundings?: Surroundings) =>
  everfold([...args, ...OVER], surroundings)

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

let bus: LocalEventBridge
/** The events that the bus does not take, by their ids. */
const refused = new Set<string>()
beforeAll(async () => {
  bus = await startEventBridge({
    entryFault: ({ Detail: detail = '' }) =>
      refused.has((JSON.parse(detail) as PublishedEvent).id) ? 'NotAuthorized' : undefined,
  })
})
afterAll(() => bus.stop())

const sqsEndpoint = inject('endpoints').sqs
const sqs = new SQSClient(localClient(sqsEndpoint))

const queue = async (name: string): Promise<string> => {
  const input = { QueueName: name, Attributes: { FifoQueue: 'true' } }
  return (await sqs.send(new CreateQueueCommand(input))).QueueUrl ?? ''
}

/** A command that decodes, and a message that does not. */
const buried = async (queueUrl: string): Promise<CommandId> => {
  const id = deriveId(Date.UTC(2026, 10, 2, 7), 'cancel')
  const command = { _tag: 'CancelOrder', reason: 'regret', by: 'shopper' }
  const dispatch = {
    _tag: 'Dispatch' as const,
    stream: order,
    envelope: envelope(command, { id, timeMs: 1 }),
  }
  const bodies = { [order]: letterOf(messageOf(dispatch)), other: '{"id":1}' }
  for (const [group, body] of Object.entries(bodies))
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: body,
        MessageGroupId: group,
        MessageDeduplicationId: group,
      }),
    )
  return id
}

/** Where each service is, as the SDK's own settings say it. */
const addresses = () => ({
  AWS_ENDPOINT_URL_DYNAMODB: endpoint,
  AWS_ENDPOINT_URL_EVENTBRIDGE: bus.endpoint,
  AWS_ENDPOINT_URL_SQS: sqsEndpoint,
})

/** What is new with every run: the ids of messages, and when they were sent. */
const timeless = (said: string): string =>
  said
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'a message')
    .replaceAll(/^( {2}sent +).*$/gm, '$1at a time')

describe('docs/operations.md', () => {
  const QUEUES = 'https://sqs.us-east-1.amazonaws.com/123456789012/'

  test('every example prints what is shown', async () => {
    const [dead] = await Promise.all([queue('cli-orders-dead.fifo'), queue('cli-orders.fifo')])
    await buried(dead)
    const real = dead.slice(0, dead.lastIndexOf('/') + 1)
    for (const { args, output } of examples()) {
      const typed = args.map((arg) => arg.replace(QUEUES, `${real}cli-`))
      const { out } = await everfold([...typed, '--config', CONFIG], { env: addresses() })
      const said = out.replaceAll(`${real}cli-`, QUEUES).replaceAll(/^cli-(events|views)/gm, 'shop-$1')
      expect(timeless(said)).toBe(timeless(output))
    }
  })
})

const idOf = ({ id }: PublishedEvent): string => id

/** No line is longer than the terminal, but for a name that is. */
const expectToFit = (out: string, width: number): void => {
  for (const line of out.split('\n')) if (!/^\s*([\w ]+ )?\S+$/.test(line)) expect(line.slice(width)).toBe('')
}

describe('everfold tables', () => {
  test('finds them as they have to be, and says what is otherwise', async () => {
    const over = ['--config', await otherTable('cli-other'), '--endpoint', endpoint]
    const [check, other, guarded] = await Promise.all([
      run(['tables', 'check', '--unguarded']),
      everfold(['tables', 'create', '--unguarded', ...over]),
      run(['tables', 'check']),
    ])
    expect(check).toMatchObject({ code: 0, out: `${events}  ACTIVE\n${views}  ACTIVE\n`, err: '' })
    expect(other).toMatchObject({ code: 1, out: '' })
    expect(other.err).toContain('The table cli-other is another one: the key is id S; needed is pk S, sk N')
    expect(guarded.code).toBe(1)
    expect(guarded.err).toContain('--unguarded')
    await expect(perform(['stream', order, ...over])).rejects.toMatchObject({
      name: 'Failure',
      advice: 'Has the table another shape? `everfold tables check` tells.',
    })
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
    const [human, json] = await Promise.all([
      run(['state', 'stock/tea', '--at', '20']),
      run(['state', order, '--json']),
    ])
    expect(human.out).toContain('stock/tea@20  2026-11-01 19:00:00.000  version 20\n')
    expect(human.out).toMatch(/from the snapshot of commit \d+, and \d+ commits?\n/)
    expect(human.out).toContain('    received: 210,\n')
    expectToFit(human.out, 80)
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

/** DynamoDB, but that it never answers a scan. */
const withoutScans = async () => {
  const asked = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    const target = String(request.headers['x-amz-target'])
    if (target.endsWith('.Scan')) return asked.resolve()
    const headers = {
      'x-amz-target': target,
      'content-type': String(request.headers['content-type']),
      authorization: String(request.headers.authorization),
    }
    const answer = await fetch(endpoint, { method: 'POST', headers, body: await text(request) })
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' })
    response.end(await answer.text())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { endpoint: `http://127.0.0.1:${port}`, scanning: asked.promise, stop }
}

describe('everfold rebuild', () => {
  test('fills a view, switches its readers, and goes on where it was when it is run again', async () => {
    const first = await run(['rebuild', 'catalogue', '--json'])
    expect(lines(first)).toMatchObject([
      { projection: 'catalogue', generation: '1', before: '1', commits: shop.log.length },
    ])
    expect(Number(lines(first)[0]?.['rows'])).toBeGreaterThan(0)
    expect(first.err).toContain(
      `rebuilding catalogue ==================== ${shop.log.length}/${shop.log.length} commits`,
    )
    const store = dynamoViewStore({ client: DynamoDBDocumentClient.from(client), table: views, clock })
    expect(must(await store.active('catalogue')())).toBe('1')
    const second = await run(['rebuild', 'catalogue'])
    expect(second.out).toBe(
      `catalogue: readers read generation 1.\nScanned: ${shop.log.length} commits. Written: 0 rows.\n`,
    )
  })

  test('interrupted says how to go on', async () => {
    const stalled = await withoutScans()
    const args = ['rebuild', 'catalogue', '--config', CONFIG, '--endpoint', stalled.endpoint]
    const { child, ended } = start(args)
    await stalled.scanning
    child.kill('SIGINT')
    const { code, err } = await ended
    stalled.stop()
    expect(code).toBe('SIGINT')
    expect(err).toContain('To go on:\neverfold rebuild catalogue --generation 1\n')
  })
})

/** The tables and the bus are at different addresses, which the SDK's own settings can say. */
const publishing = (args: ReadonlyArray<string>) =>
  everfold(['republish', ...args, '--config', CONFIG], { env: addresses() })

/** A refusal has no events. */
const wanted = () =>
  shop.log.filter(
    (commit) => commit.timeMs >= Date.parse('2026-11-02T06:00:00Z') && publishedEvents(commit).length > 0,
  )

describe('everfold republish', () => {
  /** What may have waited for a day: from the second of November on. */
  const SINCE = ['--since', '2026-11-03T06:00:00Z', '--waited', '1']

  test('publishes every event since then, as the relay does, and counts them', async () => {
    const due = wanted().flatMap(publishedEvents)
    const before = bus.published.length
    const dry = await publishing([...SINCE, '--dry-run', '--json'])
    expect(lines(dry)).toMatchObject([{ dryRun: true, events: due.length, complete: true }])
    expect(bus.published).toHaveLength(before)
    const { code, out, err } = await publishing(SINCE)
    expect({ code, out }).toEqual({
      code: 0,
      out: `Published: ${due.length} events of ${wanted().length} commits. Scanned: ${shop.log.length} commits.\n`,
    })
    expect(err).toContain(`republishing ==================== ${shop.log.length}/${shop.log.length} commits`)
    expect(
      bus.published
        .slice(before)
        .map(({ event }) => idOf(event.detail as PublishedEvent))
        .toSorted(),
    ).toEqual(due.map(idOf).toSorted())
    expect(bus.published[0]).toMatchObject({ bus: 'shop', event: { source: 'everfold.shop' } })
  })

  test('names what could not be published', async () => {
    refused.add(`${order}@1.0`)
    const args = [...SINCE, '--category', 'order']
    const [human, json] = [await publishing(args), await publishing([...args, '--json'])]
    expect(human).toMatchObject({
      code: 1,
      out: expect.stringContaining('Published: 3 events of 3 commits.'),
    })
    expect(human.err).toContain(
      `Not published: 1 commit.\n  ${order}@1  Not available: the bus shop. NotAuthorized`,
    )
    expect(json.code).toBe(1)
    expect(lines(json)).toMatchObject([{ failures: [{ stream: order, commit: 1 }] }])
    expect(JSON.parse(json.err.split('\n').at(-2) ?? '')).toMatchObject({
      error: { complete: true, failures: [{ stream: order, commit: 1 }] },
    })
  })
})

describe('everfold dead-letters', () => {
  test('shows them, and sends back what decodes', async () => {
    const [dead, work] = await Promise.all([queue('cli-dead.fifo'), queue('cli-work.fifo')])
    const id = await buried(dead)
    const options = ['--queue', dead, '--config', CONFIG, '--endpoint', sqsEndpoint]
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
    expect(lines(moved)).toMatchObject([{ group: order, content: { _tag: 'Command', commandId: id } }])
  })

  test('needs a queue that is one', async () => {
    const options = ['--config', CONFIG, '--endpoint', sqsEndpoint]
    const gone = `${sqsEndpoint}/000000000000/gone.fifo`
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
    const outcome = perform(['stream', order, '--config', file])
    await expect(outcome).rejects.toBeInstanceOf(Misuse)
    await expect(outcome).rejects.toThrow(file)
    await expect(outcome).rejects.toThrow(words)
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
    const over = ['--config', missing, '--endpoint', endpoint]
    for (const args of [
      ['stream', order],
      ['rebuild', 'orders'],
      ['republish', '--since', '2026-11-01', '--dry-run'],
    ])
      await expect(perform([...args, ...over])).rejects.toMatchObject({
        name: 'Failure',
        message: expect.stringContaining('ResourceNotFoundException'),
        advice: expect.stringContaining('`everfold tables check` tells.'),
      })
    const check = await everfold(['tables', 'check', ...over])
    expect(check).toMatchObject({ code: 1, out: 'cli-missing  ABSENT\ncli-missing  ABSENT\n' })
  })
})

test('what nobody expected is told as any failure is, and where it broke only to who asks for it', async () => {
  const file = await configured(`import shop from ${JSON.stringify(CONFIG)}
export default { ...shop, service: { ...shop.service, aggregates: [null] } }`)
  const args = ['state', order, '--config', file, '--endpoint', endpoint]
  const [human, json, debugged] = await Promise.all([
    everfold(args),
    everfold([...args, '--json']),
    everfold(args, { env: { NODE_DEBUG: 'everfold' } }),
  ])
  expect(human).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^Unexpected: TypeError: /) })
  expect(human.err).not.toContain('    at ')
  expect(human.err).toContain('NODE_DEBUG=everfold')
  expect(json).toMatchObject({ code: 1, out: '' })
  expect(JSON.parse(json.err)).toMatchObject({
    error: { kind: 'Failure', message: expect.stringMatching(/^Unexpected: TypeError: /) },
  })
  expect(debugged).toMatchObject({ code: 1, err: expect.stringContaining('    at ') })
})

test('a wrong argument ends with 2, and is told the usage', async () => {
  const [human, json] = await Promise.all([
    everfold(['state', order, '--at', '0']),
    everfold(['why', '--json']),
  ])
  expect(human).toEqual({
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
