/** `dynamodb/*`: what commands cost on DynamoDB, ours and the peers', counted on Amazon's DynamoDB Local. */
import { castore } from '../dynamodb/castore.ts'
import { commands } from '../dynamodb/command.ts'
import { contended } from '../dynamodb/contended.ts'
import { delivery } from '../dynamodb/delivery.ts'
import { withDynamo } from '../dynamodb/dynamo.ts'
import { equinoxJs } from '../dynamodb/equinox-js.ts'
import { everfold } from '../dynamodb/everfold.ts'
import { knownStream } from '../dynamodb/known-stream.ts'
import { largeState } from '../dynamodb/large-state.ts'
import type { Group } from '../group.ts'

export const group: Group = {
  run: (_, report) =>
    withDynamo(async (dynamo) => {
      for (const contender of [everfold, castore, equinoxJs]) await commands(dynamo, contender, report)
      await knownStream(dynamo, report)
      await largeState(dynamo, report)
      await contended(dynamo, report)
      await delivery(dynamo, report)
    }),
}
