/** What one command takes in the mean. */
import type { Bill } from '@everfold/aws-local'

export const meanOf = (bills: ReadonlyArray<Bill>): Bill => {
  const mean = (figure: keyof Bill) => bills.reduce((sum, bill) => sum + bill[figure], 0) / bills.length
  return {
    requests: mean('requests'),
    writes: mean('writes'),
    readUnits: mean('readUnits'),
    writeUnits: mean('writeUnits'),
    transactions: mean('transactions'),
  }
}
