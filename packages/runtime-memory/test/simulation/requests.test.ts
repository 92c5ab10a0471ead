import { streamName } from '@everfold/core'
import { describe, expect, test } from 'vitest'
import { type Request, type Sending, simulation } from '../../src/simulation/index.ts'
import { kiosk, kioskOf, kioskWith } from './kiosk.ts'

const fill = (cups: unknown): Sending => ({ aggregate: kiosk, id: 'north', command: { _tag: 'Fill', cups } })

const sending = (...sendings: ReadonlyArray<Sending>) =>
  simulation({ ...kioskWith(), workload: () => sendings })

describe('what no client could send is told before a run begins', () => {
  test('a command that its codec refuses, with the path of what is wrong', async () => {
    await expect(sending(fill(1), fill(0)).run('7')).rejects.toThrow(
      'number 2 of the workload of the seed 7, for kiosk/north, holds no command of kiosk: /cups ',
    )
  })
  test('a command of no known kind', async () => {
    const unknown = { ...fill(1), command: { _tag: 'Drink' } }
    await expect(sending(unknown).run('7')).rejects.toThrow('holds no command of kiosk: ')
  })
  test('a command for an aggregate that the service has not', async () => {
    const stall = { ...fill(1), aggregate: { ...kioskOf(), name: 'stall' } as never }
    await expect(sending(stall).run('7')).rejects.toThrow(
      'is for an aggregate that the service has not, stall; it has kiosk, clerk',
    )
  })
  test('a stream of another aggregate', async () => {
    const { replay, requestsOf } = sending(fill(1))
    const [request] = requestsOf('7') as [Request]
    await expect(
      replay({ seed: '7', deviations: new Map() }, [{ ...request, stream: streamName('clerk', 'north') }]),
    ).rejects.toThrow('for clerk/north, is for the aggregate kiosk, and its stream is one of clerk')
  })
  test('an id that two commands have', async () => {
    const { replay, requestsOf } = sending(fill(1), fill(2))
    const [first, second] = requestsOf('7') as [Request, Request]
    await expect(
      replay({ seed: '7', deviations: new Map() }, [first, { ...second, id: first.id }]),
    ).rejects.toThrow(`has the id of number 1, ${first.id}`)
  })
  test('a time before the beginning', async () => {
    await expect(sending({ ...fill(1), afterMs: -1 }).run('7')).rejects.toThrow('no whole number from 0 on')
  })
  test('a workload that throws, with what it threw as the cause', async () => {
    const cause = new Error('no tea')
    const broken = simulation({
      ...kioskWith(),
      workload: () => {
        throw cause
      },
    })
    await expect(broken.run('7')).rejects.toMatchObject({
      message: 'the workload threw for the seed 7: Error: no tea',
      cause,
    })
  })
})

test('nothing asked, nothing done', async () => {
  const run = await sending().run('7')
  expect(run).toMatchObject({ requests: [], operations: 0 })
  expect(run.violation).toBeUndefined()
})

test('the kiosk keeps what it promises', async () => {
  const tea = simulation(kioskWith())
  for (let seed = 0; seed < 40; seed += 1) expect((await tea.run(String(seed))).violation).toBeUndefined()
})
