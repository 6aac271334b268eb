import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { AppFolder } from './app.ts'

/** An application that `init` wrote, beside a cluster of databases for its shards. */
export interface ServedApp {
  readonly app: AppFolder
  readonly cluster: LocalCluster
  /** The URLs of the shards, as its configuration asks for them. */
  readonly env: Record<string, string>
  stop(): Promise<void>
}

export async function serveApp(name: string | undefined, shards: number): Promise<ServedApp> {
  const app = await AppFolder.make()
  const cluster = await startLocalCluster({ shards, databasePerShard: true })
  const env = Object.fromEntries(cluster.shards.map((shard, index) => [`SHARD_${index + 1}_URL`, shard.url]))
  if (name !== undefined) await app.call(['init', '--yes', '--shards', String(shards), '--name', name])
  const stop = async () => {
    await cluster.stop()
    await app.remove()
  }
  return { app, cluster, env, stop }
}
