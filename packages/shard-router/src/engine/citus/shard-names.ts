import type { ShardedTable, Telemetry } from '@shardwright/core'
import type { AnyShardPool } from '../../pool/shard-pool.ts'
import { coordinatorOf } from './cluster-reader.ts'

/** A shard of one table: its number, and the name of its own table. */
export interface ShardName {
  readonly shardId: string
  readonly name: string
}

/** The shards of tables by the hash that they begin with, read when they are first needed. */
export class ShardNames {
  readonly #telemetry: Telemetry
  readonly #known = new Map<ShardedTable, ReadonlyMap<number, ShardName>>()

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
  }

  /** Undefined while the names of the table's shards are being read: nothing waits for them. */
  find(table: ShardedTable, min: number, pool: AnyShardPool): ShardName | undefined {
    const known = this.#known.get(table)
    if (known) return known.get(min)
    this.#known.set(table, new Map())
    void this.#read(table, pool)
    return undefined
  }

  async #read(table: ShardedTable, pool: AnyShardPool): Promise<void> {
    try {
      const { rows } = await coordinatorOf(pool).query<{ min: number; shardId: string; name: string }>(
        `select shardminvalue::int as min, shardid::text as "shardId",
           (parse_ident(shard_name(logicalrelid, shardid)))[cardinality(parse_ident(shard_name(logicalrelid, shardid)))] as name
         from pg_catalog.pg_dist_shard
         where logicalrelid = to_regclass(quote_ident($1) || '.' || quote_ident($2)) and shardminvalue is not null`,
        [table.schema, table.table],
      )
      this.#known.set(table, new Map(rows.map(({ min, shardId, name }) => [min, { shardId, name }])))
    } catch (error) {
      // Citus plans these reads then. The next reading of the metadata tries again.
      this.#telemetry.log('debug', `The shards of ${table.name} were not named: ${String(error)}`)
    }
  }
}
