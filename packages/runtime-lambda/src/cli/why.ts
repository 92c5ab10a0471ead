/** `everfold why`. */
import { CommandId, E, fromUlid, idOfKey, type StreamName, streamParts } from '@everfold/core'
import { type SetOff, type Why, whyAnswered } from '../operations/why-answered.ts'
import { answerText } from './answer.ts'
import { type Asked, neededText, shown, textOf } from './arguments.ts'
import { configurationOf } from './configuration.ts'
import { Failure, Misuse } from './failure.ts'
import { failureOf } from './fault.ts'
import { eventStoreOf } from './ports.ts'
import { laidOut, plain, print, printJson, readableTime, tagged } from './print.ts'
import { foldedFrom } from './state.ts'
import { streamOf } from './stream-name.ts'

export const run = async (asked: Asked): Promise<void> => {
  const stream = streamOf(neededText(asked, 'stream'))
  const id = commandIdOf(asked, stream)
  const configuration = await configurationOf(asked)
  const store = await eventStoreOf(configuration)
  const why = await whyAnswered(configuration.service, store)(stream, id)()
  if (E.isLeft(why)) throw failureOf(why.left)
  if (asked.json) printJson(why.right)
  else if (why.right._tag === 'OnRecord') print(whyText(why.right))
  if (why.right._tag === 'NotOnRecord') throw notOnRecord(why.right)
}

/** As the front door makes it of a key, where the request is told; or else the argument has to be one. */
const commandIdOf = (asked: Asked, stream: StreamName): CommandId => {
  const [given = ''] = asked.operands
  const request = textOf(asked, 'request')
  const user = textOf(asked, 'user')
  if (request !== undefined) {
    const { method, path } = requestOf(request)
    return idOfKey(given, streamParts(stream).tenant ?? '', user ?? '', method, path)
  }
  if (user !== undefined) throw new Misuse('--user is for an Idempotency-Key, which needs --request too.')
  const id = fromUlid(given) ?? given
  if (CommandId.is(id)) return id
  throw new Misuse(
    `${shown(given)} is no command id. For an Idempotency-Key, say the request that it came with: --request "POST /path".`,
  )
}

const requestOf = (request: string): { readonly method: string; readonly path: string } => {
  const [, method, path] = /^([A-Z]+) (\/[^?#\s]*)$/.exec(request) ?? []
  if (method === undefined || path === undefined)
    throw new Misuse(`--request ${shown(request)} is not a method and a path, such as "POST /orders".`)
  try {
    const steps = path
      .slice(1)
      .split('/')
      .map((step) => `/${encodeURIComponent(decodeURIComponent(step))}`)
    return { method, path: steps.join('') }
  } catch {
    throw new Misuse(`--request ${shown(request)}: the path is not percent-encoded UTF-8.`)
  }
}

const notOnRecord = ({ stream, commandId, lookedIn }: Extract<Why, { _tag: 'NotOnRecord' }>): Failure =>
  new Failure(`${commandId} is not on record in ${plain(stream)}.`, {
    advice: `Looked for in: ${lookedIn.join(', ')}.
A refusal of a command that came without an id or key is never put on record.`,
    facts: { stream, commandId, lookedIn },
  })

const whyText = ({
  stream,
  commit,
  foundIn,
  answer,
  decidedOn,
  setOff,
}: Extract<Why, { _tag: 'OnRecord' }>) =>
  [
    `${plain(stream)}@${commit}  found in: ${foundIn}`,
    answerText(answer, 2, [['fingerprint', answer.fingerprint]]),
    `  decided on version ${decidedOn.version} (${foldedFrom(decidedOn)})`,
    `    ${laidOut(decidedOn.state, 4)}`,
    setOff.length === 0 ? '  set nothing off' : '  set off',
    ...setOff.map((one) => `    ${setOffText(one)}`),
  ].join('\n')

const setOffText = (one: SetOff): string => {
  switch (one._tag) {
    case 'Command':
      return `command ${one.id} for ${plain(one.stream)}\n      ${commandText(one.command)}`
    case 'Call':
      return `call ${one.id} of ${one.gateway}\n      idempotency key ${one.idempotencyKey}`
    case 'Timer':
      return `timer ${one.id}: ${plain(one.timer)}, due ${readableTime(one.due)}`
    case 'CanceledTimer':
      return `canceled timer ${one.id}`
  }
}

/** A process is told what stands above already: the event, or the rejection. */
const commandText = (command: unknown): string => {
  const {
    _tag: tag,
    recorded,
    rejection,
  } = command as {
    readonly _tag?: unknown
    readonly recorded?: { readonly id: string; readonly event: { readonly _tag: string } }
    readonly rejection?: { readonly _tag: string }
  }
  if (tag === 'Happened' && recorded !== undefined)
    return `Happened ${recorded.event._tag} ${plain(recorded.id.slice(recorded.id.lastIndexOf('@')))}`
  return tag === 'Refused' && rejection !== undefined ? `Refused ${rejection._tag}` : tagged(command, 6)
}
