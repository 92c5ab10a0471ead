/**
 * The services for a run of vitest: named as `globalSetup` by every project whose tests need them.
 *
 * They are started once for all those projects and stopped with the last; tests read `inject('endpoints')`.
 */
import type { TestProject } from 'vitest/node'
import { javaMissing } from './dynamo-db.ts'
import { type Endpoints, type Services, startServices } from './services.ts'

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface can be added to
  interface ProvidedContext {
    readonly endpoints: Endpoints
  }
}

interface Shared {
  readonly services: Promise<Services>
  users: number
}

/** Each project loads this module for itself, so that what they share has to lie outside of it. */
const run = globalThis as { everfoldServices?: Shared | undefined }

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await demandJava()
  const shared = (run.everfoldServices ??= { services: startServices(), users: 0 })
  shared.users += 1
  project.provide('endpoints', (await shared.services).endpoints)
  return async () => {
    shared.users -= 1
    if (shared.users > 0) return
    run.everfoldServices = undefined
    await (await shared.services).stop()
  }
}

/** Ends the whole run with one line. An error thrown here comes below a list of test files that were not found. */
const demandJava = async (): Promise<void> => {
  const missing = run.everfoldServices === undefined ? await javaMissing() : undefined
  if (missing === undefined) return
  process.stderr.write(`No test was run. ${missing}\n`)
  process.exit(1)
}
