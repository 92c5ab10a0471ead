/** `everfold dead-letters`. */
import { E } from '@everfold/core'
import { type DeadLetterQueue, deadLetterQueue } from '../operations/dead-letter-queue.ts'
import {
  type Content,
  type DeadLetter,
  type Left,
  listDeadLetters,
  type Reading,
  replayDeadLetters,
} from '../operations/dead-letters.ts'
import { isoTime } from '../operations/show-stream.ts'
import { systemClock } from '../system-clock.ts'
import { type Asked, countOf, neededText, shown, textOf } from './arguments.ts'
import { configurationOf } from './configuration.ts'
import { Failure, Misuse } from './failure.ts'
import { failureOf } from './fault.ts'
import { claimCheckOf, sqs } from './ports.ts'
import { labelled, numbered, plain, print, printJson, readableTime, tagged } from './print.ts'
import { withBar } from './progress.ts'

export const run = async (asked: Asked): Promise<void> => {
  const queueUrl = urlOf('queue', neededText(asked, 'queue'))
  const to = textOf(asked, 'to')
  const target = to === undefined ? undefined : urlOf('to', to)
  if (target === queueUrl) throw new Misuse('--to is the dead-letter queue itself.')
  const max = countOf(asked, 'max')
  const replaying = asked.operands[0] === 'replay'
  if (!replaying && to !== undefined) throw new Misuse('--to is for replay.')
  const configuration = await configurationOf(asked)
  const client = await sqs(configuration)
  const queue = deadLetterQueue({ client, queueUrl, clock: systemClock })
  const { claimCheck: claims } = claimCheckOf(configuration)
  const reading: Reading = { service: configuration.service, queue, claims }
  if (!replaying) return list(asked, reading, max ?? LISTED)
  return replay(asked, reading, { to: target ?? (await sourceOf(queue, queueUrl)), max })
}

const LISTED = 100

const urlOf = (option: string, url: string): string => {
  if (URL.canParse(url) && /^https?:/.test(url)) return url
  throw new Misuse(`--${option} ${shown(url)} is not the URL of a queue.`)
}

const sourceOf = async (queue: DeadLetterQueue, queueUrl: string): Promise<string> => {
  const sources = await queue.sources()()
  if (E.isLeft(sources)) throw failureOf(sources.left)
  const [only, ...more] = sources.right
  if (only === undefined)
    throw new Failure(`No queue has ${queueUrl} as its dead-letter queue.`, {
      advice: 'Name the queue to send to with --to <url>.',
    })
  if (more.length > 0)
    throw new Failure(`More than one queue has ${queueUrl} as its dead-letter queue.`, {
      advice: `Name the one to send to with --to <url>:\n${sources.right.join('\n')}`,
      facts: { sources: sources.right },
    })
  return only
}

const list = async (asked: Asked, reading: Reading, max: number): Promise<void> => {
  const shownBy = (letter: DeadLetter) => {
    if (asked.json) printJson(shownLetter(letter))
    else print(`${letterText(letter)}\n`)
  }
  const count = await listDeadLetters(reading, max)(shownBy)()
  if (E.isLeft(count)) throw failureOf(count.left)
  if (!asked.json) print(`${numbered(count.right, 'message')}.`)
}

const replay = async (
  asked: Asked,
  reading: Reading,
  options: { readonly to: string; readonly max: number | undefined },
): Promise<void> => {
  const size = await reading.queue.size()()
  if (E.isLeft(size)) throw failureOf(size.left)
  const bar = {
    title: 'replaying',
    unit: 'messages',
    total: Math.min(size.right, options.max ?? size.right),
    interrupted:
      'Interrupted. What was not sent is in the dead-letter queue, and visible again in two minutes.',
  }
  const replayed = await withBar(bar, (reach) =>
    replayDeadLetters(reading, options)((_, count) => reach(count))(),
  )
  if (E.isLeft(replayed)) throw failureOf(replayed.left)
  const { sent, left, unseen } = replayed.right
  if (asked.json) printJson({ to: options.to, sent, left: left.map(shownLeft), unseen })
  else print(`Sent to ${options.to}: ${numbered(sent, 'message')}.${unseen > 0 ? unseenText(unseen) : ''}`)
  if (left.length > 0)
    throw new Failure(
      [`Left in the dead-letter queue: ${numbered(left.length, 'message')}.`, ...left.map(leftText)].join(
        '\n',
      ),
      {
        facts: { left: left.map(shownLeft) },
      },
    )
}

const unseenText = (unseen: number): string =>
  `\nNot looked at, and still in the dead-letter queue: about ${numbered(unseen, 'message')}.`

const shownLetter = ({ message, content }: DeadLetter): object => {
  const { receipt: _, sentMs, ...about } = message
  return { ...about, sent: isoTime(sentMs), content: shownContent(content) }
}

/** What a fault was caused by is often no JSON. */
const shownContent = (content: Content): object =>
  content._tag === 'NotAvailable'
    ? { _tag: content._tag, message: failureOf(content.fault).message }
    : content

const shownLeft = (one: Left): object => ({
  messageId: one.letter.message.messageId,
  why: one.why,
  ...(one.why === 'undecodable' ? { content: one.letter.content } : {}),
  ...('fault' in one ? { message: failureOf(one.fault).message } : {}),
})

const letterText = ({ message, content }: DeadLetter): string => {
  const { messageId, sentMs, group, deliveries, reason } = message
  const about = labelled(
    [
      ['sent', readableTime(isoTime(sentMs))],
      ['group', group],
      ['received', deliveries === 1 ? 'once' : `${deliveries} times`],
      ['reason', reason],
    ],
    2,
  )
  return `message ${plain(messageId)}\n${about}\n  ${contentText(content, message.body)}`
}

const contentText = (content: Content, body: string): string => {
  switch (content._tag) {
    case 'Command': {
      const { commandId, stream, command } = content
      return `command ${commandId} for ${plain(stream)}\n    ${tagged(command, 4)}`
    }
    case 'Call':
      return `call of ${content.gateway} for ${plain(content.stream)}@${content.commit}.${content.index}`
    case 'NotAvailable':
      return failureOf(content.fault).message.replaceAll('\n', ' ')
    case 'Undecodable':
      return `${faultsText(content)}\n    ${plain(body.slice(0, BEGINNING))}${body.length > BEGINNING ? '…' : ''}`
  }
}

/** What cannot be read is recognized by how it begins. */
const BEGINNING = 200

const faultsText = ({ errors }: Extract<Content, { _tag: 'Undecodable' }>): string =>
  `does not decode: ${errors.map(({ pointer, detail }) => `${pointer || '/'} ${plain(detail)}`).join('; ')}`

const leftText = (one: Left): string => {
  const { message, content } = one.letter
  const why =
    'fault' in one
      ? failureOf(one.fault).message
      : content._tag === 'Undecodable'
        ? faultsText(content)
        : 'came back while this ran: it has failed again'
  return `  ${plain(message.messageId)}  ${why}`
}
