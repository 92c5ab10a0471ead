/**
 * A simulated service as the `requestHandler` of a real client of the AWS SDK: no network, and a time that the test moves.
 */
import type { HttpAnswer, HttpRequest } from '../../../runtime-memory/src/simulation/sdk/http.ts'

interface Wire<State> {
  wire(
    this: void,
    state: State,
    request: HttpRequest,
    at: { readonly nowMs: number; readonly deviation?: string },
  ): { readonly state: State; readonly answer: HttpAnswer }
  offers(this: void, state: State, request: HttpRequest): ReadonlyArray<string>
}

/** What deviates in a call, by its number from 1 and what may. */
export type Deviate = (call: number, offered: ReadonlyArray<string>) => string | undefined

export interface SimulatedService<State> {
  readonly state: () => State
  readonly change: (change: (state: State) => State) => void
  readonly calls: () => number
  /** What a client is made of, beside its service. */
  readonly config: {
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
    readonly maxAttempts: number
    readonly requestHandler: { handle(request: HttpRequest): Promise<{ readonly response: HttpAnswer }> }
  }
}

export const simulated = <State>(
  { wire, offers }: Wire<State>,
  initial: State,
  nowMs: () => number,
  deviate: Deviate = () => undefined,
): SimulatedService<State> => {
  let state = initial
  let calls = 0
  const handle = async (request: HttpRequest) => {
    calls += 1
    const deviation = deviate(calls, offers(state, request))
    const at = { nowMs: nowMs(), ...(deviation === undefined ? {} : { deviation }) }
    const stepped = wire(state, request, at)
    state = stepped.state
    return { response: stepped.answer }
  }
  return {
    state: () => state,
    change: (change) => {
      state = change(state)
    },
    calls: () => calls,
    config: {
      region: 'us-east-1',
      credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
      maxAttempts: 1,
      requestHandler: { handle },
    },
  }
}
