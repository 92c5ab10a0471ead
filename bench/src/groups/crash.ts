/**
 * `crash/*`: a replay on DynamoDB Local that is killed with SIGKILL at 100 random points and begun again each time.
 *
 * Every replay that comes to its end is held against its own log, and the group fails where anything is missing or
 * twice: numbers without a gap, no command answered twice, every row of every view what the log folds to, the provider's
 * books to the cent, every event on the bus. `crash/redelivered` counts messages beyond the first of their event, which
 * a bus that delivers at least once has anyway: each has the id and the content of the first.
 */
import { ordeal } from '@everfold/local/ordeal'
import type { Group } from '../group.ts'

const KILLS = 100
const ORDERS = 12

export const group: Group = {
  run: async (_options, report) => {
    const { kills, replays, commits, events, rows, published, redelivered } = await ordeal({
      kills: KILLS,
      orders: ORDERS,
      random: Math.random,
      progress: (so) =>
        report.progress(`crash: killed ${so.kills} times, ${so.replays} replays ended well so far`),
    })
    report.result({ name: 'crash/kills', value: kills, unit: 'kills' })
    report.result({ name: 'crash/replays', value: replays, unit: 'replays' })
    report.result({ name: 'crash/commits', value: commits, unit: 'commits' })
    report.result({ name: 'crash/events', value: events, unit: 'events' })
    report.result({ name: 'crash/rows', value: rows, unit: 'rows' })
    report.result({ name: 'crash/published', value: published, unit: 'events' })
    report.result({ name: 'crash/redelivered', value: redelivered, unit: 'messages' })
  },
}
