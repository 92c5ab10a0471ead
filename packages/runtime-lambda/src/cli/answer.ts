/** An answer on record as people read it. */
import type { ShownAnswer, ShownEvent } from '../operations/show-stream.ts'
import { type Line, labelled, readableTime, tagged } from './print.ts'

export const answerText = (answer: ShownAnswer, indent: number, more: ReadonlyArray<Line> = []): string => {
  const { commandId, time, metadata, events } = answer
  const { correlationId, causationId, actor, tenant, process, trace } = metadata
  const about: ReadonlyArray<Line> = [
    ['arrived', readableTime(time)],
    ['by', actor],
    ['tenant', tenant],
    ['process', process],
    ['caused by', causationId],
    ['correlation', correlationId === commandId ? undefined : correlationId],
    ['trace', trace],
    ...more,
  ]
  const outcome =
    answer.rejection === undefined
      ? events.map((event) => eventText(event, indent + 2))
      : [`${' '.repeat(indent + 2)}rejected: ${tagged(answer.rejection, indent + 2)}`]
  const nothing = answer.rejection === undefined && events.length === 0
  return [
    `${' '.repeat(indent)}command ${commandId}`,
    labelled(about, indent + 2),
    ...outcome,
    ...(nothing ? [`${' '.repeat(indent + 2)}accepted, nothing changed`] : []),
  ].join('\n')
}

/** The stream is known where it is read, so of the id only the place is shown. */
const eventText = ({ id, event }: ShownEvent, indent: number): string => {
  const head = `${' '.repeat(indent)}${id.slice(id.lastIndexOf('@'))} `
  return `${head}${tagged(event, indent, head.length)}`
}
