/** What would make a run say nothing, or something else than what is wrong, is told before it begins. */
import { describe, expect, test } from 'vitest'
import {
  always,
  alwaysOverall,
  eventually,
  type SimulationOptions,
  simulation,
  sometimes,
} from '../../src/simulation/index.ts'
import { kiosk, kioskOf, kioskWith } from './kiosk.ts'

const tea = kioskWith()
const simulated = (more: Partial<SimulationOptions>) => simulation({ ...tea, ...more })
const stall = { ...kioskOf(), name: 'stall' } as unknown as typeof kiosk

describe('a simulation whose parts do not fit together is none', () => {
  test.each([always, eventually, sometimes])('an invariant over an aggregate that is not there', (stated) => {
    expect(() => simulated({ invariants: [stated('no stall burns', stall, () => false)] })).toThrow(
      'the invariant "no stall burns" is about an aggregate that the service has not, stall; it has kiosk, clerk',
    )
  })
  test('one over an aggregate of new code is there, and one over all streams needs none', () => {
    const service = { ...tea.service, aggregates: [...tea.service.aggregates, stall] }
    const invariants = [always('no stall burns', stall, () => true), alwaysOverall('peace', () => true)]
    expect(() => simulated({ invariants, deploys: [{ afterMs: 9, service }] })).not.toThrow()
  })
  test('two aggregates of one name, or an aggregate and a process', () => {
    const { service } = tea
    const aggregates = [...service.aggregates, kioskOf()]
    expect(() => simulated({ service: { ...service, aggregates } })).toThrow(
      'two aggregates or processes of the service tea are named kiosk',
    )
    const clerk = { ...kioskOf(), name: 'clerk' } as unknown as typeof kiosk
    const deploys = [{ afterMs: 9, service: { ...service, aggregates: [kiosk, clerk] } }]
    expect(() => simulated({ deploys })).toThrow('are named clerk')
  })
  test('two gateways of one name, or two views of one name and generation', () => {
    const { service } = tea
    const { gateways, projections } = service
    expect(() => simulated({ service: { ...service, gateways: [...gateways, ...gateways] } })).toThrow(
      'two gateways of the service tea are named till',
    )
    expect(() =>
      simulated({ service: { ...service, projections: [...projections, ...projections] } }),
    ).toThrow('two views of one generation of the service tea are named sales#1')
  })
  test('a gateway that is bound to nothing', async () => {
    await expect(simulated({ gateways: () => [] }).run('0')).rejects.toThrow(
      'the gateway till of the service tea is bound to no implementation',
    )
  })
  test('unless the surroundings bind it, or nobody makes calls', async () => {
    const { gateways = () => [] } = tea
    const surrounded = simulated({ gateways: () => [], surroundings: () => ({ gateways }) })
    expect((await surrounded.run('0')).violation).toBeUndefined()
    const silent = simulated({ gateways: () => [], parts: { functions: { calls: () => async () => [] } } })
    await expect(silent.run('0')).resolves.toBeDefined()
  })
})
