/** Finding, loading and judging the configuration module. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { decode, E, record, text } from '@everfold/core'
import * as t from 'io-ts'
import type { Configuration } from '../operations/configuration.ts'
import { type Asked, shown, textOf } from './arguments.ts'
import { Misuse } from './failure.ts'

const NAMES = ['everfold.config.mjs', 'everfold.config.js', 'everfold.config.ts']

const ADVICE = `It exports by default { service, tables: { events, views } }, and where there are such also
tables.keys, region, endpoint, claimCheck: { bucket, prefix } and bus: { name, source }.`

/** The configuration with what the arguments say instead. */
export const configurationOf = async (asked: Asked): Promise<Configuration> => {
  const file = fileOf(textOf(asked, 'config'))
  const decoded = decode(Shape, await exportOf(file))
  if (E.isLeft(decoded)) {
    const faults = decoded.left.errors.map(({ pointer, detail }) => `\n  ${pointer || '/'} ${detail}`)
    throw new Misuse(`The configuration ${file} is not one:${faults.join('')}`, ADVICE)
  }
  const region = textOf(asked, 'region')
  const endpoint = textOf(asked, 'endpoint')
  if (endpoint !== undefined && !URL.canParse(endpoint))
    throw new Misuse(`--endpoint ${shown(endpoint)} is not a URL.`)
  return {
    ...(decoded.right as Configuration),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  }
}

const fileOf = (told: string | undefined): string => {
  if (told !== undefined) {
    const file = resolve(told)
    if (existsSync(file)) return file
    throw new Misuse(`There is no configuration ${file}.`, ADVICE)
  }
  const file = NAMES.map((name) => join(process.cwd(), name)).find((one) => existsSync(one))
  if (file !== undefined) return file
  throw new Misuse(
    `There is no ${NAMES.join(', ')} in ${process.cwd()}. Name one with --config <file>.`,
    ADVICE,
  )
}

const exportOf = async (file: string): Promise<unknown> => {
  try {
    const { default: exported } = (await import(pathToFileURL(file).href)) as { readonly default?: unknown }
    return exported
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new Misuse(`The configuration ${file} cannot be loaded.\n${why}`, ADVICE)
  }
}

/** A service is made of functions, so only that it looks like one is judged. */
const isService = (input: unknown): boolean =>
  typeof input === 'object' &&
  input !== null &&
  ['aggregates', 'projections', 'processes', 'gateways'].every((part) =>
    Array.isArray((input as Record<string, unknown>)[part]),
  )

const ServiceShape = new t.Type<unknown>(
  'Service',
  (input): input is unknown => isService(input),
  (input, context) => (isService(input) ? t.success(input) : t.failure(input, context, 'is not a service')),
  t.identity,
)

const Name = text('Name', { maxLength: 1600 })

const Shape = record(
  'Configuration',
  { service: ServiceShape, tables: record('Tables', { events: Name, views: Name }, { keys: Name }) },
  {
    region: Name,
    endpoint: Name,
    claimCheck: record('ClaimCheck', { bucket: Name }, { prefix: Name }),
    bus: record('Bus', { name: Name, source: Name }),
  },
)
