/** The bank's counter: movements of an account, over HTTP. */
import { command, E, record, type Service, streamParts, text } from '@everfold/core'
import type { SimulationOptions } from '@everfold/runtime-memory/simulation'
import { account, bank } from './bank.ts'
import type { RequestOf } from './behind-http.ts'

const service: Service = {
  ...bank.service,
  routes: [
    command(account)({
      method: 'POST',
      path: '/accounts/{accountId}/movements',
      summary: 'Deposits or withdraws',
      access: 'public',
      params: record('AccountPath', { accountId: text('AccountId') }),
      body: account.command,
      replies: { status: 201 },
      id: ({ params }) => params.accountId,
      prepare: ({ body }) => E.right(body),
      reply: (events) => ({ movements: events.length }),
    }),
  ],
}

export const bankAtCounter: SimulationOptions = { ...bank, service }

export const requestOf: RequestOf = ({ stream, command: asked }) => ({
  method: 'POST',
  path: `/accounts/${streamParts(stream).id}/movements`,
  body: JSON.stringify(asked),
})
