/** An answer on record as people read it. */
import type { ShownAnswer, ShownEvent } from '../operations/show-stream.ts'
import { labelled, plain, readableTime, tagged } from './print.ts'

export const answerText = (
  answer: ShownAnswer,
  indent: number,
  more: 'fingerprint' | 'none' = 'none',
): string => {
  const { commandId, time, fingerprint, metadata, events } = answer
  const { correlationId, causationId, actor, tenant, process, trace } = metadata
  const about = labelled(
    [
      ['arrived', readableTime(time)],
      ['by', actor === undefined ? undefined : plain(actor)],
      ['tenant', tenant],
      ['process', process === undefined ? undefined : plain(process)],
      ['caused by', causationId === undefined ? undefined : plain(causationId)],
      ['correlation', correlationId === commandId ? undefined : plain(correlationId)],
      ['trace', trace],
      ['fingerprint', more === 'fingerprint' ? fingerprint : undefined],
    ],
    indent + 2,
  )
  const outcome =
    answer.rejection === undefined
      ? events.map((event) => eventText(event, indent + 2))
      : [`${' '.repeat(indent + 2)}rejected: ${tagged(answer.rejection, indent + 2)}`]
  const nothing = answer.rejection === undefined && events.length === 0
  return [
    `${' '.repeat(indent)}command ${commandId}`,
    about,
    ...outcome,
    ...(nothing ? [`${' '.repeat(indent + 2)}accepted, nothing changed`] : []),
  ].join('\n')
}

/** The stream is known where it is read, so of the id only the place is shown. */
const eventText = ({ id, event }: ShownEvent, indent: number): string => {
  const head = `${' '.repeat(indent)}${id.slice(id.lastIndexOf('@'))} `
  return `${head}${tagged(event, indent, head.length)}`
}
