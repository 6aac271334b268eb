import { cliVersion } from '../version.ts'
import type { SkeletonOptions } from './skeleton.ts'

export function packageJson({ name }: SkeletonOptions): string {
  const own = `^${cliVersion}`
  const content = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=22.18' },
    scripts: {
      dev: 'shardwright dev',
      migrate: 'shardwright migrate up',
      test: 'node --test "test/**/*.test.ts"',
      types: 'tsc --noEmit',
    },
    dependencies: {
      '@shardwright/core': own,
      '@shardwright/migrator': own,
      '@shardwright/shard-router': own,
      kysely: '^0.29.9',
      pg: '^8.23.1',
    },
    devDependencies: {
      '@shardwright/cli': own,
      '@shardwright/local-cluster': own,
      '@types/node': '^26.0.0',
      '@types/pg': '^8.23.1',
      typescript: '^7.0.0',
    },
  }
  return `${JSON.stringify(content, null, 2)}\n`
}
