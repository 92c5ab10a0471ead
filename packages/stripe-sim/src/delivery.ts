/**
 * Pushing webhooks: to the program that holds the simulator, and by a given `post` to addresses.
 *
 * Source: https://docs.stripe.com/webhooks (a status of 200 to 299 takes the event)
 */
import { advance, type Machine } from './exchange.ts'
import { retry, take, type WebhookAttempt } from './webhook.ts'

/** Takes a webhook: refusing it, by throwing or by a status outside 200-299, has it sent again later. */
export type OnWebhook = (
  rawBody: string,
  headers: Readonly<Record<string, string>>,
) => Promise<number | undefined> | number | undefined

export type Post = (
  url: string,
  rawBody: string,
  headers: Readonly<Record<string, string>>,
) => Promise<number | undefined>

export interface Receivers {
  readonly onWebhook: OnWebhook | undefined
  readonly post: Post | undefined
}

const send = async (attempt: WebhookAttempt, { onWebhook, post }: Receivers): Promise<boolean> => {
  try {
    const status =
      attempt.url === null
        ? await onWebhook?.(attempt.rawBody, attempt.headers)
        : await post?.(attempt.url, attempt.rawBody, attempt.headers)
    return status === undefined || (status >= 200 && status < 300)
  } catch {
    // A receiver that throws has not taken the webhook; what it threw is its own affair.
    return false
  }
}

/** Sends what is due, one after the other; says how many were taken. */
export const deliver = async (machine: Machine, receivers: Receivers): Promise<number> => {
  advance(machine)
  if (receivers.onWebhook === undefined && receivers.post === undefined) return 0
  const attempts = take(machine.account, machine.nowMs(), ({ url }) =>
    url === null ? receivers.onWebhook !== undefined : receivers.post !== undefined,
  )
  let taken = 0
  for (const attempt of attempts)
    if (await send(attempt, receivers)) taken += 1
    else retry(machine.account, attempt, machine.nowMs())
  return taken
}
