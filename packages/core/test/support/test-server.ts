import { startLocalCluster } from '@shardwright/local-cluster'

/** A database to try SQL on: of a server of its own, or the one that SHARDWRIGHT_TEST_URL names (PostgreSQL 15, say). */
export async function startTestServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const url = process.env.SHARDWRIGHT_TEST_URL
  if (url !== undefined) return { url, stop: async () => {} }
  const cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  return { url: cluster.shards[0]!.url, stop: () => cluster.stop() }
}
