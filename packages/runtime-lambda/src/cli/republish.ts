/** `everfold republish`. */
import { aggregatesOf, E } from '@everfold/core'
import type { WorkBatch } from '../consumers/batch.ts'
import type { Configuration } from '../operations/configuration.ts'
import {
  type Republished,
  type RepublishOptions,
  republish,
  type Unpublished,
} from '../operations/republish.ts'
import { relay } from '../relay/index.ts'
import { systemClock } from '../system-clock.ts'
import { type Asked, countOf, dateOf, neededText, segmentsOf, shown, textOf } from './arguments.ts'
import { configurationOf } from './configuration.ts'
import { Failure, Misuse } from './failure.ts'
import { failureOf } from './fault.ts'
import { claimCheckOf, eventBridge, eventCount, eventStoreOf } from './ports.ts'
import { numbered, plain, print, printJson } from './print.ts'
import { withBar } from './progress.ts'

export const run = async (asked: Asked): Promise<void> => {
  const options = optionsOf(asked)
  const configuration = await configurationOf(asked)
  judgeCategory(configuration, options.category)
  const dryRun = asked.options['dry-run'] === true
  const publish = dryRun ? undefined : await relayOf(configuration)
  const store = await eventStoreOf(configuration)
  const total = await eventCount(configuration)
  if (E.isLeft(total)) throw failureOf(total.left)
  const bar = {
    title: dryRun ? 'counting' : 'republishing',
    unit: 'commits',
    total: total.right,
    interrupted: dryRun
      ? 'Interrupted; nothing was published.'
      : 'Interrupted. The same command begins anew, and publishes some events once more.',
  }
  const republished = await withBar(bar, (reach) => republish({ store, publish }, options)(reach)())
  if (E.isLeft(republished)) throw failureOf(republished.left)
  if (asked.json) printJson({ ...republished.right, dryRun })
  else print(summary(republished.right, dryRun))
  const { failures, complete } = republished.right
  if (failures.length > 0 || !complete) throw unpublished(failures, complete)
}

const optionsOf = (asked: Asked): RepublishOptions => {
  neededText(asked, 'since')
  const sinceMs = dateOf(asked, 'since') ?? 0
  const untilMs = dateOf(asked, 'until') ?? systemClock.nowMs()
  if (sinceMs > untilMs) throw new Misuse('--since is behind --until, or in the future.')
  const days = countOf(asked, 'waited', MOST_DAYS)
  return {
    sinceMs,
    waitedMs: days === undefined ? undefined : days * DAY_MS,
    untilMs,
    category: textOf(asked, 'category'),
    segments: segmentsOf(asked),
  }
}

const DAY_MS = 24 * 60 * 60_000
const MOST_DAYS = 36_500

const judgeCategory = ({ service }: Configuration, category: string | undefined): void => {
  const known = [...aggregatesOf(service).keys()]
  if (category !== undefined && !known.includes(category))
    throw new Misuse(`The service has no category ${shown(category)}.`, `It has ${known.join(', ')}.`)
}

const relayOf = async (configuration: Configuration): Promise<WorkBatch> => {
  const { bus } = configuration
  if (bus === undefined)
    throw new Misuse(
      'The configuration names no bus.',
      'Add bus: { name, source }, or only count with --dry-run.',
    )
  const { name, source } = bus
  const client = await eventBridge(configuration)
  return relay({ client, bus: name, source, clock: systemClock, ...claimCheckOf(configuration) })
}

const summary = ({ scanned, commits, events }: Republished, dryRun: boolean): string =>
  `${dryRun ? 'To be published' : 'Published'}: ${numbered(events, 'event')} of ${numbered(commits, 'commit')}. Scanned: ${numbered(scanned, 'commit')}.`

/** More places than these say nothing new to a person; `--json` has them all. */
const MOST_PLACES = 20

const unpublished = (failures: ReadonlyArray<Unpublished>, complete: boolean): Failure => {
  const places = failures.map(({ stream, commit, fault }) => {
    const { message } = failureOf(fault)
    return { stream, commit, message: message.replaceAll('\n', ' ') }
  })
  const shownPlaces = places
    .slice(0, MOST_PLACES)
    .map(({ stream, commit, message }) => `  ${plain(stream)}@${commit}  ${message}`)
  const more = places.length - shownPlaces.length
  const rest = more > 0 ? [`  and ${more} more`] : []
  return new Failure(
    [`Not published: ${numbered(places.length, 'commit')}.`, ...shownPlaces, ...rest].join('\n'),
    {
      advice: complete
        ? 'Everything else is published. The same command tries all of it again.'
        : 'Given up there, because nothing was taken any more; the rest of the log was not tried.',
      facts: { complete, failures: places },
    },
  )
}
