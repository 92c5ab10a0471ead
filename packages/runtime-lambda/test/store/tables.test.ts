/** The tables over DynamoDB Local, which has everything but point-in-time recovery. */
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb'
import { E } from '@everfold/core'
import { describe, expect, test, vi } from 'vitest'
import { createTables, describeTables, type TablesOptions } from '../../src/store/tables.ts'
import { systemClock } from '../../src/system-clock.ts'
import { plainClient } from './tables.ts'

// For a machine that is busy with other tests.
vi.setConfig({ testTimeout: 60_000 })

const optionsOf = (name: string): TablesOptions => ({
  client: plainClient(),
  clock: systemClock,
  names: { events: `${name}-events`, views: `${name}-views` },
  guarded: false,
})

const S = (name: string) => ({ AttributeName: name, AttributeType: 'S' as const })
const HASH = (name: string) => ({ AttributeName: name, KeyType: 'HASH' as const })
const RANGE = (name: string) => ({ AttributeName: name, KeyType: 'RANGE' as const })

const absent = (table: string) => ({ table, status: 'ABSENT', differences: [] })

describe('the tables', () => {
  test('are made in the shape that the stores need', async () => {
    const options = optionsOf('made')
    const { client, names } = options
    expect(await createTables(options)()).toEqual(E.right(undefined))
    const events = await client.send(new DescribeTableCommand({ TableName: names.events }))
    expect(events.Table).toMatchObject({
      TableStatus: 'ACTIVE',
      KeySchema: [HASH('pk'), RANGE('sk')],
      AttributeDefinitions: [S('pk'), { AttributeName: 'sk', AttributeType: 'N' }],
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    })
    const expiring = await client.send(new DescribeTimeToLiveCommand({ TableName: names.events }))
    expect(expiring.TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' })
    const views = await client.send(new DescribeTableCommand({ TableName: names.views }))
    expect(views.Table).toMatchObject({
      TableStatus: 'ACTIVE',
      KeySchema: [HASH('pk'), RANGE('sk')],
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      GlobalSecondaryIndexes: [
        {
          IndexName: 'inverted',
          KeySchema: [HASH('ipk'), RANGE('pk')],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    })
    expect(views.Table?.StreamSpecification).toBeUndefined()
  })

  test('are made once, however often and by however many at once they are asked for', async () => {
    const options = optionsOf('again')
    const made = await Promise.all(Array.from({ length: 4 }, () => createTables(options)()))
    expect(made).toEqual(Array.from({ length: 4 }, () => E.right(undefined)))
    expect(await createTables(options)()).toEqual(E.right(undefined))
    expect(await describeTables(options)()).toEqual(
      E.right([
        { table: 'again-events', status: 'ACTIVE', differences: [] },
        { table: 'again-views', status: 'ACTIVE', differences: [] },
      ]),
    )
  })

  test('of another shape are left as they are, with the difference in words', async () => {
    const options = optionsOf('other')
    const { client, names } = options
    await client.send(
      new CreateTableCommand({
        TableName: names.events,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [S('pk'), S('sk')],
        KeySchema: [HASH('pk'), RANGE('sk')],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' },
      }),
    )
    const differences = [
      'the key is pk S, sk S; needed is pk S, sk N',
      'the stream shows KEYS_ONLY; needed is NEW_IMAGE',
    ]
    expect(await createTables(options)()).toEqual(
      E.left({ _tag: 'OtherShape', table: names.events, differences }),
    )
    await client.send(new DeleteTableCommand({ TableName: names.views }))
    await client.send(
      new CreateTableCommand({
        TableName: names.views,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [S('pk'), S('sk')],
        KeySchema: [HASH('pk'), RANGE('sk')],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'inverted',
            KeySchema: [HASH('sk'), RANGE('pk')],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      }),
    )
    expect(await describeTables(options)()).toEqual(
      E.right([
        {
          table: names.events,
          status: 'ACTIVE',
          differences: [...differences, 'there is no time to live; needed is one on ttl'],
        },
        {
          table: names.views,
          status: 'ACTIVE',
          differences: ['the key of the index inverted is sk S, pk S; needed is ipk S, pk S'],
        },
      ]),
    )
  })

  test('that are not there are absent, and a half-made pair is completed', async () => {
    const options = optionsOf('half')
    expect(await describeTables(options)()).toEqual(E.right([absent('half-events'), absent('half-views')]))
    await createTables(options)()
    await options.client.send(new DeleteTableCommand({ TableName: options.names.views }))
    expect(await describeTables(options)()).toMatchObject({
      right: [{ status: 'ACTIVE' }, { status: 'ABSENT' }],
    })
    expect(await createTables(options)()).toEqual(E.right(undefined))
    expect(await describeTables(options)()).toMatchObject({
      right: [{ status: 'ACTIVE' }, { status: 'ACTIVE' }],
    })
  })

  test('are protected from deletion, and asked for recovery, unless told otherwise', async () => {
    const { guarded: _, ...options } = optionsOf('guarded')
    // All that DynamoDB Local lacks is reported, not passed over.
    expect(await createTables({ ...options, budgetMs: 0 })()).toMatchObject(
      E.left({ _tag: 'Unavailable', cause: { name: 'UnknownOperationException' } }),
    )
    const { client, names } = options
    for (const TableName of [names.events, names.views]) {
      await expect(client.send(new DeleteTableCommand({ TableName }))).rejects.toThrow('deletion protection')
      await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }))
    }
    const differences = ['it is not protected from deletion']
    expect(await createTables(options)()).toEqual(
      E.left({ _tag: 'OtherShape', table: names.events, differences }),
    )
  })

  test('of keys are made without anything that would keep a destroyed key', async () => {
    const options = optionsOf('keys')
    const names = { ...options.names, keys: 'keys-keys' }
    expect(await createTables({ ...options, names })()).toEqual(E.right(undefined))
    const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' as const }
    await options.client.send(new UpdateTableCommand({ TableName: names.keys, StreamSpecification }))
    expect(await createTables({ ...options, names })()).toEqual(
      E.left({
        _tag: 'OtherShape',
        table: names.keys,
        differences: ['it has a stream, which keeps what is destroyed for a day'],
      }),
    )
  })
})
