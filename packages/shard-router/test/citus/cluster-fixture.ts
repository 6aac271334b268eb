import { type CitusCluster, type CitusDatabase, citusFromEnvironment } from '@shardwright/local-cluster'
import { createShardRouter, type ShardRouterOptions } from '@shardwright/shard-router'
import pg from 'pg'
import { ddl, schema } from '../router/festival-fixture.ts'

export interface FestivalCluster extends AsyncDisposable {
  readonly citus: CitusCluster
  readonly database: CitusDatabase
}

const distribute = `
  select create_distributed_table('wallets', 'festival_id', shard_count => 8);
  select create_distributed_table('transactions', 'festival_id', colocate_with => 'wallets');
  select create_distributed_table('tickets', 'user_id', colocate_with => 'none', shard_count => 8);
  select create_reference_table('festivals');`

/** The festival's tables on Citus: wallets and transactions together, tickets by themselves. */
export async function startFestivalCluster(more = ''): Promise<FestivalCluster> {
  const citus = await citusFromEnvironment()
  const database = await citus.createDatabase()
  await onServer(database.url, `${ddl} ${distribute} ${more}`)
  return { citus, database, [Symbol.asyncDispose]: () => citus.stop() }
}

export function routerOn(database: CitusDatabase, options: Partial<ShardRouterOptions<typeof schema>> = {}) {
  return createShardRouter({ schema, topology: database.topologyInput(), ...options })
}

export async function onServer(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const results = await client.query(sql)
    return [results].flat().at(-1)?.rows ?? []
  } finally {
    await client.end()
  }
}
