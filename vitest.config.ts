import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** Tests run against `src`: the same condition that `tsconfig.base.json` and `node --conditions` use. */
const source = ['@everfold/source', 'node', 'import', 'default']

export default defineConfig({
  ssr: { resolve: { conditions: source, externalConditions: source } },
  test: {
    projects: [...readdirSync('packages').map((name) => `packages/${name}`), 'bench', 'docs'].map((root) => ({
      extends: true as const,
      test: { name: root.replace('packages/', ''), root, include: ['test/**/*.test.ts'] },
    })),
  },
})
