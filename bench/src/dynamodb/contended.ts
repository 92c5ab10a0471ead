/**
 * `dynamodb/contended/{writers,fifo}{,-troubled}/{effects,requests,writes,wcu}`: ten writers send a hundred commands each
 * to one stream, with nothing in a cache. All but `effects` are for each effect, and `wcu` without the writes that
 * were refused or whose response was lost: DynamoDB says what a write took only in its response.
 *
 * `writers` know nothing of each other, as ten sandboxes of a Lambda; for `fifo` they put their commands into a FIFO
 * queue, where one consumer takes up to ten and decides them together. `-troubled`: every command is sent three times,
 * and every append is applied and then its response lost, once.
 *
 * Afterwards every command is sent once more, without trouble: its answer has to be the one on record, replayed. It
 * fails unless each of the 1,000 commands has its effect exactly once, in a log without gaps and without anything else,
 * and everybody who was answered was told just that: each writer every time, whoever sent to the queue by the repeat.
 */
import { type FaultScript, faulty, localClient } from '@everfold/aws-local'
import {
  type Commit,
  E,
  type Envelope,
  type EventStore,
  envelope,
  execute,
  freshId,
  type StoredAnswer,
  type StreamName,
  streamName,
} from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { systemClock as clock } from '@everfold/runtime-lambda/system-clock'
import { OrderCommand, orders } from '../everfold-order.ts'
import { type Report, rounded } from '../group.ts'
import { COMMANDS, type Crowd, type Sent, type Told, type Way } from './crowd.ts'
import { connect, type Dynamo } from './dynamo.ts'
import { eventsOn, right, storeOf } from './everfold.ts'
import { throughFifo } from './fifo.ts'
import { inParallel } from './in-parallel.ts'

const WRITERS = 10
const COPIES = 3
/** How many commands are sent again at once. */
const AGAIN = 100

export const contended = async (dynamo: Dynamo, report: Report): Promise<void> => {
  const ways = [
    { name: 'writers', way: byThemselves, answers: true },
    { name: 'fifo', way: throughFifo, answers: false },
  ]
  for (const { name, ...how } of ways) {
    await crowded(dynamo, report, { name, ...how, copies: 1, script: () => undefined })
    const script = losingFirstResponses()
    await crowded(dynamo, report, { name: `${name}-troubled`, ...how, copies: COPIES, script })
  }
}

/** The SDK repeats an append whose response was lost with the same body. */
const losingFirstResponses = (): FaultScript => {
  const appended = new Set<string>()
  return ({ operation, body }) => {
    if (operation !== 'PutItem' || appended.has(body)) return undefined
    appended.add(body)
    return { _tag: 'ResponseLost' }
  }
}

interface Trial {
  readonly name: string
  readonly way: Way
  /** Whether a sender is told what became of its command. */
  readonly answers: boolean
  readonly copies: number
  readonly script: FaultScript
}

const crowded = async (
  dynamo: Dynamo,
  report: Report,
  { name, way, answers, copies, script }: Trial,
): Promise<void> => {
  const { table, store: plain } = await eventsOn(dynamo, `contended-${name}`)
  const faultyDynamo = connect(dynamo.endpoint, faulty(localClient(dynamo.endpoint).requestHandler, script))
  const ports = { store: storeOf(faultyDynamo, table, clock), clock }
  const stream = streamName(orders.name, freshId(clock.nowMs(), clock.random))
  const begun = placed()
  right(await execute(orders, { store: plain, clock })(stream, [begun])())
  const sent: Array<Sent> = []
  const write: Crowd['write'] = (send) =>
    inParallel(WRITERS, Array.from({ length: COMMANDS }), async () => {
      const member = added()
      sent.push(member)
      await send(member)
    })
  const told: Array<Told> = []
  const bill = await faultyDynamo.meter.bill(async () => {
    told.push(...(await way({ stream, ports, copies, write })))
  })
  faultyDynamo.client.destroy()
  told.push(...(await toldAgain(plain, stream, sent)))
  const times = answers ? copies + 1 : 1
  const effects = provenEffects({ begun, sent, times }, told, await logOf(plain, stream))
  const say = (what: string, value: number) =>
    report.result({ name: `dynamodb/contended/${name}/${what}`, value: rounded(value), unit: what })
  say('effects', effects)
  say('requests', bill.requests / effects)
  say('writes', bill.writes / effects)
  if (copies === 1) say('wcu', bill.writeUnits / effects)
}

const command = valid(OrderCommand)

const sending = (one: OrderCommand): Sent => {
  const timeMs = clock.nowMs()
  return envelope(one, { id: freshId(timeMs, clock.random), timeMs })
}

const placed = () => sending(command({ _tag: 'PlaceOrder', customerId: 'ann', currency: 'EUR' }))

const added = () => sending(command({ _tag: 'AddItem', sku: 'apple', quantity: 1, priceMinor: 100 }))

/** Each writer waits for its answer before its next command; copies of one are sent at once. */
const byThemselves: Way = async ({ stream, ports, copies, write }) => {
  const told: Array<Told> = []
  const answer = async (member: Sent): Promise<void> => {
    for (;;) {
      const answers = await execute(orders, ports)(stream, [member])()
      // A fault says nothing: the same command is sent again.
      if (E.isLeft(answers)) continue
      const [settled] = answers.right
      if (settled === undefined || E.isLeft(settled)) throw new Error(JSON.stringify(settled))
      told.push(settled.right)
      return
    }
  }
  await write(async (member) => {
    await Promise.all(Array.from({ length: copies }, () => answer(member)))
  })
  return told
}

/** What every command is told that is sent once more. */
const toldAgain = async (
  store: EventStore,
  stream: StreamName,
  sent: ReadonlyArray<Sent>,
): Promise<ReadonlyArray<Told>> => {
  const told: Array<Told> = []
  for (let from = 0; from < sent.length; from += AGAIN) {
    const members = sent.slice(from, from + AGAIN)
    for (const settled of right(await execute(orders, { store, clock })(stream, members)())) {
      if (E.isLeft(settled) || !settled.right.replayed)
        throw new Error(`a repeated command was not answered from the record: ${JSON.stringify(settled)}`)
      told.push(settled.right)
    }
  }
  return told
}

const logOf = async (store: EventStore, stream: StreamName): Promise<ReadonlyArray<Commit>> => {
  const log: Array<Commit> = []
  for (;;) {
    const page = right(await store.readForward(stream, { after: log.length, limit: 1_000 })())
    log.push(...page.commits)
    if (page.done) return log
  }
}

interface OnRecord {
  readonly commit: Commit
  readonly answer: StoredAnswer
}

interface Sending {
  /** What the stream begins with. */
  readonly begun: Identified
  readonly sent: ReadonlyArray<Identified>
  /** How many times each command was answered. */
  readonly times: number
}

type Identified = Pick<Envelope<unknown>, 'id'>

/** How many commands have had their effect; throws unless that is each of those sent, once, and no other. */
export const provenEffects = (
  { begun, sent, times }: Sending,
  told: ReadonlyArray<Told>,
  log: ReadonlyArray<Commit>,
): number => {
  const onRecord = recordedIn(log)
  const ids = new Set([begun, ...sent].map(({ id }): string => id))
  for (const id of ids) if (!onRecord.has(id)) throw new Error(`${id} was not answered`)
  for (const id of onRecord.keys())
    if (!ids.has(id)) throw new Error(`${id} is on record, and nobody sent it`)
  const answers = new Map<string, number>()
  for (const answer of told) {
    if (!isRecorded(answer, onRecord.get(answer.commandId)))
      throw new Error(`${answer.commandId} was told otherwise than is on record: ${JSON.stringify(answer)}`)
    answers.set(answer.commandId, (answers.get(answer.commandId) ?? 0) + 1)
  }
  for (const { id } of sent)
    if (answers.get(id) !== times)
      throw new Error(`${id} was told ${answers.get(id) ?? 0} times, not ${times}`)
  return onRecord.size - 1
}

/** The answers of a log that has no gaps, with one event each. */
const recordedIn = (log: ReadonlyArray<Commit>): ReadonlyMap<string, OnRecord> => {
  const onRecord = new Map<string, OnRecord>()
  for (const [at, commit] of log.entries()) {
    if (commit.number !== at + 1) throw new Error(`commit ${at + 1} is missing from the log`)
    for (const answer of commit.answers) {
      if (onRecord.has(answer.id)) throw new Error(`${answer.id} was answered twice`)
      if (answer.events.length !== 1) throw new Error(`${answer.id} has ${answer.events.length} events`)
      onRecord.set(answer.id, { commit, answer })
    }
    if (commit.version !== onRecord.size)
      throw new Error(`commit ${commit.number} is not of version ${onRecord.size}`)
  }
  return onRecord
}

const isRecorded = ({ position, timeMs, outcome }: Told, recorded: OnRecord | undefined): boolean =>
  recorded !== undefined &&
  position.commit === recorded.commit.number &&
  timeMs === recorded.answer.timeMs &&
  E.isRight(outcome) &&
  JSON.stringify(outcome.right) === JSON.stringify(recorded.answer.events)
