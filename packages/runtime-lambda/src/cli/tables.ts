/** `everfold tables`. */
import { E } from '@everfold/core'
import {
  createTables,
  describeTables,
  type OtherShape,
  type TableReport,
  type TablesOptions,
} from '../store/tables.ts'
import { systemClock } from '../system-clock.ts'
import type { Asked } from './arguments.ts'
import { configurationOf } from './configuration.ts'
import { Failure } from './failure.ts'
import { failureOf, type Obstacle } from './fault.ts'
import { dynamoDb } from './ports.ts'
import { print, printJson } from './print.ts'

export const run = async (asked: Asked): Promise<void> => {
  const configuration = await configurationOf(asked)
  const options: TablesOptions = {
    client: await dynamoDb(configuration),
    names: configuration.tables,
    guarded: asked.options['unguarded'] !== true,
    clock: systemClock,
  }
  if (asked.operands[0] === 'create') await create(options)
  const reports = await describeTables(options)()
  if (E.isLeft(reports)) throw failureOf(reports.left)
  for (const report of reports.right) {
    if (asked.json) printJson(report)
    else print(reportText(report))
  }
  const wrong = reports.right.filter((one) => !isRight(one)).map(({ table }) => table)
  if (wrong.length > 0)
    throw new Failure(`Not as needed: ${wrong.join(', ')}.`, {
      advice: '`everfold tables create` makes what is missing; it changes no keys.',
      facts: { tables: wrong },
    })
}

const create = async (options: TablesOptions): Promise<void> => {
  const created = await createTables(options)()
  if (E.isLeft(created)) throw creationFailure(created.left)
}

const creationFailure = (obstacle: Obstacle | OtherShape): Failure =>
  obstacle._tag === 'OtherShape'
    ? new Failure(`The table ${obstacle.table} is another one: ${obstacle.differences.join('; ')}.`, {
        advice: 'Name other tables in the configuration, or move this one away.',
        facts: obstacle,
      })
    : failureOf(obstacle)

const isRight = ({ status, differences }: TableReport): boolean =>
  status === 'ACTIVE' && differences.length === 0

const reportText = ({ table, status, differences }: TableReport): string =>
  [`${table}  ${status}`, ...differences.map((difference) => `  ${difference}`)].join('\n')
