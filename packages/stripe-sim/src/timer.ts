/**
 * What happens by itself as time passes, evaluated when somebody looks.
 *
 * Timers fire in the order of their times, each in a turn of its own time, so that looking once after a month gives
 * the same account as looking every second.
 */
import type { Account, Timer, Turn } from './account.ts'
import { expireAuthorization } from './capture.ts'
import { settled } from './confirmation.ts'
import { settleRefund } from './refund.ts'

const fire = (turn: Turn, timer: Timer): void => {
  const { intents, refunds, methods } = turn.account
  switch (timer._tag) {
    case 'AuthorizationExpires': {
      const intent = intents.get(timer.id)
      if (intent !== undefined) expireAuthorization(turn, intent)
      return
    }
    case 'RefundSettles': {
      const refund = refunds.get(timer.id)
      if (refund !== undefined) settleRefund(turn, refund)
      return
    }
    case 'DebitSettles': {
      const intent = intents.get(timer.id)
      const method = methods.get(intent?.payment_method ?? '')
      if (intent !== undefined)
        settled(turn, intent, method?.behaviour.settles === 'fail' ? 'fail' : 'succeed')
    }
  }
}

/** The next time at which something will happen by itself, if any. */
export const nextTimerMs = (account: Account): number | undefined => account.timers[0]?.atMs

export const fireTimers = (turn: Turn): void => {
  for (
    let timer = turn.account.timers[0];
    timer !== undefined && timer.atMs <= turn.nowMs;
    timer = turn.account.timers[0]
  ) {
    turn.account.timers = turn.account.timers.slice(1)
    fire({ ...turn, nowMs: timer.atMs, request: null }, timer)
  }
}
