/** DynamoDB Streams as the AWS SDK speaks to it, over the state that `dynamoDbWire` writes. */
import { dynamoDbStreams } from '../models/dynamo-db/index.ts'
import { wireOver } from './dynamo-db.ts'

export const dynamoDbStreamsWire = wireOver(dynamoDbStreams)
