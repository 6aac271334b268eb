import type { LocalCluster, LocalServer, ServerControl } from '@shardwright/local-cluster'
import { pause } from './disturbance.ts'
import { withClient } from './store.ts'

/** A server of a shard, whichever of the two it is now. */
export interface ShardServer extends ServerControl {
  /** The shard's database there. */
  readonly url: string
  readonly server: LocalServer
}

interface Pair {
  readonly primary: ShardServer
  readonly standby: ShardServer
}

/** Which server of each shard is its primary now. */
export class Pairs {
  readonly #pairs = new Map<string, Pair>()

  constructor(cluster: LocalCluster) {
    for (const shard of cluster.shards) this.#pairs.set(shard.id, { primary: shard, standby: shard.replicas[0]! })
  }

  of(shard: string): Pair {
    return this.#pairs.get(shard)!
  }

  get servers(): readonly ShardServer[] {
    return [...this.#pairs.values()].flatMap(({ primary, standby }) => [primary, standby])
  }

  /**
   * Makes the standby the primary. A fast stop hands all of the log to it first, so that no acknowledged write is left
   * behind and the old primary can go on as its standby.
   */
  async promote(shard: string): Promise<void> {
    const { primary, standby } = this.of(shard)
    await caughtUp(primary, standby)
    await willFollow(primary, standby)
    await primary.stop({ mode: 'fast' })
    await standby.server.promote()
    await primary.start()
    this.#pairs.set(shard, { primary: standby, standby: primary })
  }
}

async function caughtUp(primary: ShardServer, standby: ShardServer): Promise<void> {
  const lsn = await withClient(primary.url, async (client) => {
    return (await client.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')).rows[0]!.lsn
  })
  await withClient(standby.url, async (client) => {
    for (let waited = 0; ; waited += 20) {
      const { rows } = await client.query<{ done: boolean }>('select pg_last_wal_replay_lsn() >= $1 as done', [lsn])
      if (rows[0]!.done) return
      if (waited > 60_000) throw new Error(`${standby.server.id} does not reach ${lsn}`)
      await pause(20)
    }
  })
}

/** What the primary's next start reads: that it is the standby of the other one. */
async function willFollow(primary: ShardServer, standby: ShardServer): Promise<void> {
  const slot = `of_${primary.server.id.replaceAll('-', '_')}`
  await withClient(standby.url, async (client) => {
    const missing = 'where not exists (select from pg_replication_slots where slot_name = $1)'
    await client.query(`select pg_create_physical_replication_slot($1) ${missing}`, [slot])
  })
  const { username, password, hostname, port } = new URL(standby.url)
  const connection = `host=${hostname} port=${port} user=${username} password=${password} application_name=${slot}`
  await withClient(primary.url, async (client) => {
    await client.query(`alter system set primary_conninfo = '${connection}'`)
    await client.query(`alter system set primary_slot_name = '${slot}'`)
    const { rows } = await client.query<{ folder: string }>("select current_setting('data_directory') as folder")
    await client.query(`copy (select) to '${rows[0]!.folder}/standby.signal'`)
  })
}
