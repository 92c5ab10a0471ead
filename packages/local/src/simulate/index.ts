/** Services to simulate, and what deploys them on simulated AWS, for whoever measures simulations. */
export { bank, smallBank } from './bank.ts'
export { onLambda } from './on-lambda.ts'
