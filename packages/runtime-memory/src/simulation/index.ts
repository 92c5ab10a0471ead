/** Simulations of a service on simulated AWS: for tests, and for whoever searches longer than a test may. */
export * from './chooser.ts'
export * from './invariant.ts'
export * from './run.ts'
export * from './simulation.ts'
export * from './surroundings.ts'
