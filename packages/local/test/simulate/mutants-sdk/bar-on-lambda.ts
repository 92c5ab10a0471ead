/** The bar as runtime-lambda deploys it, with a part of that exchanged. */
import type { SimulationOptions } from '@everfold/runtime-memory/simulation'
import {
  barWith,
  distinctBarWith,
} from '../../../../runtime-memory/test/simulation/mutants/bar-simulation.ts'
import { type LambdaParts, lambdaSetUp } from '../../../src/simulate/on-lambda.ts'

const deployed = await lambdaSetUp()

const onLambda = (
  { gateways = () => [], ...options }: SimulationOptions,
  parts: Partial<LambdaParts>,
): SimulationOptions => {
  // The bar's gateways ask for nothing of a run.
  const bound = () => gateways(undefined as never)
  return { ...options, deployment: deployed({ gateways: bound, parts }) }
}

export const barOnLambda = (
  parts: Partial<LambdaParts>,
  more: Parameters<typeof barWith>[1] = {},
): SimulationOptions => onLambda(barWith({}, more), parts)

/** Where no two orders are the same, so that one that takes effect twice shows, whatever its ids. */
export const distinctBarOnLambda = (parts: Partial<LambdaParts>): SimulationOptions =>
  onLambda(distinctBarWith({}), parts)
