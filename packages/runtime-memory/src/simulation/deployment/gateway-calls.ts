/**
 * A gateway's call is two effects, between which it takes place: either may fail, and a crash may come between. It may
 * wait by the kernel's clock, and its provider's SDK by the machine's, which is the run's.
 */
import { E, type Fault, type GatewayBinding, resultId } from '@everfold/core'
import { failuresOf } from '../../failing.ts'
import { withVirtualGlobals } from '../actor-globals.ts'
import type { DeliveryBook } from '../oracle/delivery-book.ts'
import { stackOfThrown, wordsOfThrown } from '../oracle/thrown.ts'
import type { Stage } from './stage.ts'

/** Why something goes on and on. */
export interface Stuck {
  readonly because: string
  readonly stack?: string
}

export interface GatewayCalls {
  readonly bindings: ReadonlyArray<GatewayBinding>
  /** A call that threw the last time, or was never answered; it is made again and again. */
  stuck(this: void): Stuck | undefined
}

export const gatewayCalls = (
  { kernel }: Stage,
  bound: ReadonlyArray<GatewayBinding>,
  { made }: Pick<DeliveryBook, 'made'>,
): GatewayCalls => {
  /** What is open, by call; a call that was answered is not. */
  const open = new Map<string, Stuck>()
  const bindings = bound.map(({ gateway, call }): GatewayBinding => {
    const perform = kernel.port(`gateway ${gateway.name}`)
    const { reading: lost } = failuresOf(`the gateway ${gateway.name}`)
    return {
      gateway,
      call: (request) => async () => {
        const asked = await perform('call', request.key, GONE_THROUGH, lost)
        if (E.isLeft(asked)) return asked
        const called = `the gateway ${gateway.name}, asked by ${request.recorded.id},`
        const key = `${gateway.name} ${request.key}`
        open.set(key, { because: `${called} never answered` })
        let result: Awaited<ReturnType<ReturnType<typeof call>>>
        try {
          result = await withVirtualGlobals(call(request))
        } catch (thrown) {
          const stack = stackOfThrown(thrown)
          const because = `${called} threw: ${wordsOfThrown(thrown)}`
          open.set(key, { because, ...(stack === undefined ? {} : { stack }) })
          throw thrown
        }
        if (E.isRight(result)) {
          open.delete(key)
          made(resultId(gateway.name, request.recorded), result.right !== undefined)
        } else open.set(key, { because: `${called} answered ${result.left._tag}` })
        const answered = await perform('answer', request.key, GONE_THROUGH, lost)
        return E.isLeft(answered) ? answered : result
      },
    }
  })
  return { bindings, stuck: () => [...open.values()].at(-1) }
}

const GONE_THROUGH = (): E.Either<Fault, void> => E.right(undefined)
