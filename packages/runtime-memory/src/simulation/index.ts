/** Simulations of a service on AWS: runs by seed, judged at every step, shrunk and told. */
export { holdingGlobals } from './actor-globals.ts'
export { type Cell, type Coverage, coverage, type Notes } from './chooser.ts'
export {
  type Aws,
  type AwsState,
  type DeploySettings,
  type QueueConsumer,
  simulatedAws,
} from './deployment/aws/aws.ts'
export { type SetUp, setUpAws } from './deployment/aws/set-up.ts'
export type { KinesisConsumer, StreamConsumer } from './deployment/aws/stream-consumers.ts'
export { functionArn } from './deployment/aws/targets.ts'
export { type Api, client, envelopeOf } from './deployment/client.ts'
export type { BatchAnswer, FunctionPorts, Functions, Placed } from './deployment/functions.ts'
export type { HttpApi, HttpApiOptions } from './deployment/http-api.ts'
export type { Sandbox, SimulatedFunction } from './deployment/lambda.ts'
export type { GatewayPorts, Job, Parts, World } from './deployment/port-level.ts'
export type { Stage } from './deployment/stage.ts'
export {
  always,
  alwaysOverall,
  eventually,
  eventuallyOverall,
  type Invariant,
  type Judgement,
  type Overview,
  sometimes,
  sometimesOverall,
} from './invariant.ts'
export type { HttpRequest, HttpResponse } from './models/api-gateway/index.ts'
export { type Exhausted, exhaustive, type Scope, statement } from './modes/exhaustive.ts'
export { type Held, holds, type Quick, replayed, replayPlan } from './modes/quick.ts'
export { type Soaked, type Soaking, soak } from './modes/soak.ts'
export type { Code, Oracle } from './oracle/oracle.ts'
export {
  type Corpus,
  decodeFailure,
  encodeFailure,
  type Failure,
  failureOf,
  fileOf,
} from './report/corpus.ts'
export { mermaid } from './report/mermaid.ts'
export { type Called, NotHeld } from './report/not-held.ts'
export { decodePlan, encodePlan } from './report/plan-text.ts'
export { regressionTest } from './report/regression-test.ts'
export { summary } from './report/summary.ts'
export { tracePage } from './report/trace-page.ts'
export { words } from './report/words.ts'
export type { Sending, Workload } from './requests.ts'
export type * from './run.ts'
export { leastDeviating } from './shrink/least-deviating.ts'
export { shrink, wordsOfShrinking } from './shrink/shrink.ts'
export { shrinkRun } from './shrink/simulated.ts'
export {
  type Deploy,
  type Deployment,
  type Running,
  type Simulation,
  type SimulationOptions,
  simulation,
} from './simulation.ts'
export type { Surroundings, SurroundingsPorts } from './surroundings.ts'
export { type Expected, type Unreached, unreached, wordsOfUnreached } from './unreached.ts'
