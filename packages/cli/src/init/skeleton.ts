import { compose } from './compose.ts'
import { packageJson } from './package-json.ts'
import * as source from './source-files.ts'

export interface SkeletonOptions {
  readonly name: string
  readonly shards: number
}

/** The files of a new application, by path. Pure. */
export function skeletonFiles(options: SkeletonOptions): ReadonlyMap<string, string> {
  return new Map([
    ['package.json', packageJson(options)],
    ['shardwright.config.ts', source.config(options)],
    ['src/database.ts', source.database],
    ['src/tasks.ts', source.tasks],
    ['src/main.ts', source.main],
    ['migrations/0001_tasks.ts', source.migration],
    ['seed.ts', source.seed],
    ['test/tasks.test.ts', source.test],
    ['docker-compose.yml', compose(options)],
    ['tsconfig.json', source.tsconfig],
    ['.env.example', source.envExample(options)],
    ['.gitignore', 'node_modules\n.env\n.shardwright\n'],
    ['README.md', source.readme(options)],
  ])
}

export function shardIds({ shards }: SkeletonOptions): readonly string[] {
  return Array.from({ length: shards }, (_, index) => `shard-${index + 1}`)
}

export function urlVariable(shard: string): string {
  return `${shard.toUpperCase().replaceAll('-', '_')}_URL`
}
