/** Faults and other obstacles in words, with what to do about them. */
import type { Fault } from '@everfold/core'
import type { NoAggregate, NoCommit } from '../operations/state-at.ts'
import { Failure } from './failure.ts'
import { plain } from './print.ts'

export type Obstacle = Fault | NoAggregate | NoCommit

export const failureOf = (obstacle: Obstacle): Failure => {
  const { message, advice } = wordsOf(obstacle)
  const cause = 'cause' in obstacle ? causeOf(obstacle.cause) : undefined
  return new Failure(message.split('\n').map(plain).join('\n'), {
    advice,
    facts: { fault: { ...obstacle, cause } },
  })
}

/** What nobody foresaw, as a failure like the others; a failure itself stays as it is. */
export const unexpected = (error: unknown): Failure => {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return new Failure(`Unexpected: ${message.split('\n').map(plain).join('\n')}`, {
    advice: 'This may be a fault of the command or of the service. NODE_DEBUG=everfold shows where it broke.',
  })
}

interface Words {
  readonly message: string
  readonly advice?: string
}

const wordsOf = (obstacle: Obstacle): Words => {
  switch (obstacle._tag) {
    case 'Unavailable':
      return unavailable(obstacle.what, causeOf(obstacle.cause))
    case 'Impossible':
      return {
        message: `This cannot be done: ${obstacle.what}.${reason(causeOf(obstacle.cause))}`,
        advice: 'It will not go through by trying again: a key that is not taken, or a bug of the service.',
      }
    case 'Undecodable': {
      const { stream, commit, errors } = obstacle
      const faults = errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')
      return {
        message: `Commit ${commit} of ${stream} does not decode: ${faults}`,
        advice: 'Is the service of the configuration older than the one that wrote it?',
      }
    }
    case 'MissingCommit':
      return {
        message: `Commit ${obstacle.number} of ${obstacle.stream} is missing.`,
        advice: 'The history cannot be trusted from there on. A restore of the table may have cut it.',
      }
    case 'NoAggregate':
      return {
        message: `The service has no aggregate or process ${obstacle.category}.`,
        advice: `It has ${obstacle.known.join(', ')}.`,
      }
    case 'NoCommit':
      return {
        message:
          obstacle.newest === 0
            ? `There is no stream ${obstacle.stream}.`
            : `${obstacle.stream} has no commit ${obstacle.commit}; its newest is ${obstacle.newest}.`,
      }
    case 'TooLarge':
      return {
        message: `${obstacle.stream}: ${obstacle.sizeBytes} bytes, where ${obstacle.limitBytes} are the limit.`,
        advice: 'Name a claimCheck bucket in the configuration.',
      }
    default:
      return { message: JSON.stringify(obstacle) }
  }
}

interface Cause {
  readonly name: string
  readonly message: string
}

const causeOf = (cause: unknown): Cause | undefined => {
  if (cause === undefined) return undefined
  if (!(cause instanceof Error)) return { name: 'Unavailable', message: JSON.stringify(cause) }
  // A connection that fails on every address of a host says nothing itself, but each of its errors does.
  const [first] = cause instanceof AggregateError ? (cause.errors as ReadonlyArray<unknown>) : []
  return { name: cause.name, message: cause.message || (first instanceof Error ? first.message : '') }
}

const reason = (cause: Cause | undefined): string =>
  cause === undefined ? '' : `\n${cause.name}: ${cause.message}`

const unavailable = (what: string, cause: Cause | undefined): Words => {
  const advice = ADVICE.find(([names]) => names.test(`${cause?.name}: ${cause?.message}`))?.[1]
  const message = `Not available: ${what}.${reason(cause)}`
  return advice === undefined ? { message } : { message, advice }
}

const ADVICE: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /^ResourceNotFoundException/,
    'Are the tables of the configuration in this region? `everfold tables check` tells.',
  ],
  [/^UnknownOperationException/, 'DynamoDB Local has no point-in-time recovery: --unguarded does without.'],
  [/^ValidationException/, 'Has the table another shape? `everfold tables check` tells.'],
  [
    /^AccessDenied/,
    'The credentials lack this permission. `everfold <command> --help` says what is written.',
  ],
  [/^CredentialsProviderError|^TokenProviderError/, 'Log in, or name a profile with AWS_PROFILE.'],
  [
    /^(ExpiredToken|UnrecognizedClient|InvalidSignature)/,
    'Log in again: the credentials are not valid here.',
  ],
  [/Region is missing/, 'Name a region with --region, in the configuration or with AWS_REGION.'],
  [/ECONNREFUSED|ENOTFOUND|EAI_AGAIN/, 'Nothing answers there: see --endpoint and --region.'],
]
