import { defineConfig } from 'vitest/config'

// Tests run on the sources: no build is needed, and a stale dist is never tested.
// Only ours besides Node's own: with `import` or `module` in the list, a CommonJS require would get an ES module.
const conditions = ['shardwright-source', 'node']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
