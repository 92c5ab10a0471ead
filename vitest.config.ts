import { existsSync, readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** Tests run against `src`: the same condition that `tsconfig.base.json` and `node --conditions` use. */
const source = ['@everfold/source', 'node', 'import', 'default']

/** A project with a file of this name gets AWS's services, started once for a whole run. */
const servicesOf = (root: string): Array<string> =>
  [`${import.meta.dirname}/${root}/test/services.ts`].filter((file) => existsSync(file))

const roots = [...readdirSync('packages').map((name) => `packages/${name}`), 'bench', 'docs']

export default defineConfig({
  ssr: { resolve: { conditions: source, externalConditions: source } },
  test: {
    projects: roots.map((root) => ({
      extends: true as const,
      test: {
        name: root.replace('packages/', ''),
        root,
        include: ['test/**/*.test.ts'],
        globalSetup: servicesOf(root),
        // No test waits for time to pass; this is for a machine that is busy with other tests.
        testTimeout: 60_000,
        hookTimeout: 60_000,
      },
    })),
  },
})
