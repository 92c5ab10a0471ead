/** `everfold rebuild`. */
import { E, generationOf, generationRead, type Projection, type Rebuilt, rebuild } from '@everfold/core'
import type { Configuration } from '../operations/configuration.ts'
import { systemClock } from '../system-clock.ts'
import { type Asked, segmentsOf, shown, textOf } from './arguments.ts'
import { configurationOf } from './configuration.ts'
import { Failure, Misuse } from './failure.ts'
import { failureOf } from './fault.ts'
import { eventCount, eventStoreOf, viewStoreOf } from './ports.ts'
import { numbered, plain, print, printJson } from './print.ts'
import { withBar } from './progress.ts'

export const run = async (asked: Asked): Promise<void> => {
  const told = textOf(asked, 'generation')
  const segments = segmentsOf(asked) ?? 4
  const configuration = await configurationOf(asked)
  const { projections: listed } = configuration.service
  const projection = projectionOf(configuration, asked.operands[0] ?? '', told)
  const ports = {
    store: await eventStoreOf(configuration),
    views: await viewStoreOf(configuration),
    clock: systemClock,
  }
  const before = await generationRead(listed, ports.views)(projection.name)()
  if (E.isLeft(before)) throw failureOf(before.left)
  const total = await eventCount(configuration)
  if (E.isLeft(total)) throw failureOf(total.left)
  const { name, generation } = projection
  const bar = {
    title: `rebuilding ${name}`,
    unit: 'commits',
    total: total.right,
    interrupted: `Interrupted; readers read what they did. What is built is kept. To go on:
everfold rebuild ${name} --generation ${generation}`,
  }
  const rebuilt = await withBar(bar, (reach) =>
    rebuild(projection, ports, { segments, listed, onProgress: ({ commits }) => reach(commits) })(),
  )
  if (E.isLeft(rebuilt)) throw failureOf(rebuilt.left)
  report(asked, projection, { before: before.right?.generation, rebuilt: rebuilt.right })
}

/**
 * Only what the service lists is fed by its projector; readers who were switched to another would see nothing new.
 * The one that is being built is listed before the one that is read.
 */
const projectionOf = (
  { service }: Configuration,
  name: string,
  generation: string | undefined,
): Projection => {
  const listed = service.projections.filter((one) => one.name === name)
  const projection =
    generation === undefined ? listed[0] : listed.find((one) => one.generation === generation)
  if (projection !== undefined) return projection
  const names = [...new Set(service.projections.map((one) => one.name))]
  if (listed.length === 0)
    throw new Misuse(
      `The service has no projection ${shown(name)}.`,
      names.length === 0 ? 'It has none.' : `It has ${names.join(', ')}.`,
    )
  throw new Misuse(
    `The service lists no generation ${shown(generation ?? '')} of ${name}.`,
    `It lists ${listed.map((one) => one.generation).join(', ')}. Only a listed one is fed by the projector: list the new
generation before the one that is read, deploy, then rebuild.`,
  )
}

interface Outcome {
  readonly before: string | undefined
  readonly rebuilt: Rebuilt
}

const report = (asked: Asked, projection: Projection, { before, rebuilt }: Outcome): void => {
  const { progress } = rebuilt
  const { name, generation } = projection
  if (rebuilt._tag === 'Behind') throw stillBehind(projection, rebuilt)
  if (asked.json) printJson({ ...generationOf(projection), before, ...progress })
  else
    print(`${name}: readers read generation ${generation}${before === generation ? '' : ` now; before, it was ${before}`}.
Scanned: ${numbered(progress.commits, 'commit')}. Written: ${numbered(progress.rows, 'row')}.`)
}

const stillBehind = (
  { name, generation }: Projection,
  rebuilt: Extract<Rebuilt, { _tag: 'Behind' }>,
): Failure => {
  const { streams, progress } = rebuilt
  const places = streams.map(({ stream, commit, read }) => `  ${plain(stream)}: ${commit} of ${read} commits`)
  return new Failure(
    [
      `${name}: generation ${generation} stays behind what readers see, in ${numbered(progress.behind, 'stream')}.`,
      ...places,
    ].join('\n'),
    {
      advice:
        'Readers were not switched. Does the projector feed this generation? Then run the command again.',
      facts: { projection: name, generation, streams, progress },
    },
  )
}
