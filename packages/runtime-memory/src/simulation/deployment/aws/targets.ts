/** What rules and schedules give something to: a queue, by its ARN. */
import { arnOf } from '../../models/sqs.ts'
import type { SqsService } from './services/sqs.ts'

export interface Gift {
  readonly body: string
  /** Of a FIFO queue. */
  readonly group?: string
}

/** Gives something to the target of this ARN; whether it was taken. */
export type Give = (arn: string, gift: Gift) => boolean

export const giving =
  ({ send }: Pick<SqsService, 'send'>): Give =>
  (arn, gift) => {
    const queue = arn.slice(arn.lastIndexOf(':') + 1)
    return arnOf(queue) === arn && send(queue, gift)
  }
