/** `dynamodb/*`: what commands cost on DynamoDB, ours and the peers', counted on Amazon's DynamoDB Local. */
import { commands } from '../dynamodb/command.ts'
import { contended } from '../dynamodb/contended.ts'
import { storeContenders } from '../dynamodb/contenders.ts'
import { delivery } from '../dynamodb/delivery.ts'
import { withDynamo } from '../dynamodb/dynamo.ts'
import { knownStream } from '../dynamodb/known-stream.ts'
import { largeState } from '../dynamodb/large-state.ts'
import type { Group } from '../group.ts'

export const group: Group = {
  run: (_, report) =>
    withDynamo(async (dynamo) => {
      for (const contender of storeContenders) await commands(dynamo, contender, report)
      await knownStream(dynamo, report)
      await largeState(dynamo, report)
      await contended(dynamo, report)
      await delivery(dynamo, report)
    }),
}
