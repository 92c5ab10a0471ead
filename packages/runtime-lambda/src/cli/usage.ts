/** What can be asked of the command, in words; nothing is loaded here that `--help` does not need. */
import type { ParseArgsConfig } from 'node:util'

export type Options = NonNullable<ParseArgsConfig['options']>

/** One command: its words, and what it takes. */
export interface Usage {
  readonly synopsis: string
  /** Fits on one line of the list of all commands. */
  readonly summary: string
  readonly details: string
  /** What stands behind the command's name: a word to choose, or the name of what is asked for. */
  readonly operands: ReadonlyArray<string | ReadonlyArray<string>>
  readonly options: Options
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

/** Every command takes these. */
export const COMMON: Options = {
  config: text,
  region: text,
  endpoint: text,
  json: flag,
  help: { ...flag, short: 'h' },
}

const COMMON_DETAILS = `Every command takes
  --config <file>    default: everfold.config.mjs, .js or .ts in this directory
  --region <region>  instead of the configuration's, or of the SDK's own
  --endpoint <url>   where the services answer, such as a local one
  --json             JSON on standard output, errors as JSON on standard error
  --help             these words`

export type CommandName = 'tables' | 'stream' | 'state' | 'why' | 'rebuild' | 'republish' | 'dead-letters'

export const COMMANDS: { readonly [name in CommandName]: Usage } = {
  tables: {
    synopsis: 'everfold tables create|check [--unguarded]',
    summary: 'create the tables, or compare them with what is needed',
    details: `create  WRITES: makes the tables that are missing. On those that exist it
        switches on a missing time to live and missing point-in-time recovery,
        nothing else.
check   only reads. Exit code 1 where a table is missing or otherwise.

  --unguarded  without point-in-time recovery and protection from deletion;
               DynamoDB Local has neither`,
    operands: [['create', 'check']],
    options: { unguarded: flag },
  },
  stream: {
    synopsis: 'everfold stream <stream> [--from n] [--to n]',
    summary: 'show the commits of a stream with their answers',
    details: `Only reads. Shows each commit as it is stored: its number, its time, and for
every command that it answers who asked, and the events or the rejection.

  <stream>    category/id, or tenant:category/id
  --from <n>  from this commit on; default: 1
  --to <n>    up to this commit

With --json one commit per line.`,
    operands: ['stream'],
    options: { from: text, to: text },
  },
  state: {
    synopsis: 'everfold state <stream> [--at commit]',
    summary: 'show the state of a stream after a commit',
    details: `Only reads. Folds the stream as a command handler would, from the newest
snapshot, and says which one that was.

  <stream>       category/id, or tenant:category/id
  --at <commit>  the state after this commit; default: after the newest`,
    operands: ['stream'],
    options: { at: text },
  },
  why: {
    synopsis: 'everfold why <id> --stream <stream> [--request "POST /path"] [--user id]',
    summary: 'show why a command was answered as it was',
    details: `Only reads. Shows the answer on record: its commit, the state it was decided
on, its events or rejection, and what it set off. Exit code 1 where there is
none; then it says where it was looked for.

  <id>                 a command id; or an Idempotency-Key, and then also
  --request <request>  the method and path that it came with
  --user <id>          the caller that it came from, where there was one
  --stream <stream>    the stream that the command was sent to`,
    operands: ['id'],
    options: { stream: text, request: text, user: text },
  },
  rebuild: {
    synopsis: 'everfold rebuild <projection> [--generation g] [--segments n]',
    summary: 'build a view anew from the log, and switch its readers',
    details: `WRITES: rows and progress of the new generation, then which one is read. Readers
see the old one until the new one has all that they have seen. Interrupted, the
same command goes on where it was.

The service lists the new generation before the one that is read, and a
projector with that list is deployed first: it feeds both.

  <projection>      its name in the service
  --generation <g>  one that the service lists; default: the first of that name
  --segments <n>    how many parts of the log are read at once; default: 4`,
    operands: ['projection'],
    options: { generation: text, segments: text },
  },
  republish: {
    synopsis:
      'everfold republish --since date [--until date] [--category c]\n         [--waited n] [--segments n] [--dry-run]',
    summary: 'publish events of the log once more',
    details: `WRITES to the bus, nothing else. Scans the whole log, and publishes the events
of all commits that may have been appended from --since on as the relay does. A
commit has the time at which its commands arrived, and these may have waited, so
what is up to --waited days older is published too. Whoever counts an event by
its id counts it once. Exit code 1 where something could not be published, or
not be read, whatever its time; then it is listed, and all else is published.

  --since <date>    ISO 8601, such as 2026-11-23 or 2026-11-23T09:00:00Z
  --until <date>    up to this time; default: now
  --waited <n>      how many days a command may have waited in queues before it
                    was carried out; default: 29, which are a day of Scheduler's
                    retries, 14 in its queue and 14 among the dead letters
  --category <c>    only the streams of this category
  --segments <n>    how many parts of the log are read at once; default: 4
  --dry-run         only counts`,
    operands: [],
    options: { since: text, until: text, waited: text, category: text, segments: text, 'dry-run': flag },
  },
  'dead-letters': {
    synopsis: 'everfold dead-letters list|replay --queue url [--to url] [--max n]',
    summary: 'show what could not be delivered, or send it back',
    details: `list    receives the messages and makes them visible again: this needs the
        permissions to receive and to change visibility, and counts as a
        receive.
replay  WRITES: sends each message that decodes back to its source queue, and
        deletes it here once that queue has taken it. What does not decode, is
        not at the claim check or is not taken stays; exit code 1 then.

  --queue <url>  the dead-letter queue
  --to <url>     default: the queue that has --queue as its dead-letter queue
  --max <n>      at most so many messages; default: 100 to list, all to replay

A FIFO queue hands out the first ten messages of a group and keeps back the
others until those are gone, so a list of it may be incomplete. A replay cannot
pass a message that stays, in its group; it says about how many it has not seen.`,
    operands: [['list', 'replay']],
    options: { queue: text, to: text, max: text },
  },
}

export const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name)

/** The help for the whole. */
export const overview = (): string => {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(13)} ${summary}`)
  return `everfold <command> [options]

${lines.join('\n')}

\`everfold <command> --help\` says more, and whether the command writes.

${COMMON_DETAILS}

Exit codes: 0 done, 1 it could not be done, 2 asked wrongly.`
}

export const helpOf = (name: CommandName): string => {
  const { synopsis, details } = COMMANDS[name]
  return `${synopsis}\n\n${details}\n\n${COMMON_DETAILS}`
}
