import { type SkeletonOptions, shardIds } from './skeleton.ts'

/** One PostgreSQL per shard, for those who would rather run containers than the local cluster. */
export function compose(options: SkeletonOptions): string {
  const services = shardIds(options).map(
    (shard, index) => `  ${shard}:
    image: postgres:18
    command: ['-c', 'max_prepared_transactions=64', '-c', 'wal_level=logical']
    environment: { POSTGRES_USER: app, POSTGRES_PASSWORD: local, POSTGRES_DB: ${shard.replaceAll('-', '_')} }
    ports: ['127.0.0.1:${5441 + index}:5432']
    volumes: ['${shard}:/var/lib/postgresql']
`,
  )
  const volumes = shardIds(options).map((shard) => `  ${shard}: {}\n`)
  return `services:\n${services.join('')}volumes:\n${volumes.join('')}`
}
