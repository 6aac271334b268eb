import type { Fleet, FleetConnection } from '@shardwright/core'
import { CacheError } from '../errors/cache-error.ts'
import { fingerprintOf } from '../keys/entry-key.ts'
import type { InstallOutboxOptions } from '../outbox/install-outbox.ts'
import {
  checkColumnTypes,
  checkOutboxTables,
  columnTypes,
  literal,
  quoted,
  quotedTable,
} from '../outbox/outbox-table.ts'

/** Publication and slot of a namespace have the same name on every shard. */
export function replicationName(namespace: string): string {
  return `shardwright_cache_${fingerprintOf(namespace).toLowerCase().replaceAll('-', '_')}`
}

/**
 * Creates a publication of the given tables and a logical replication slot on every shard: no triggers, no rows, but
 * `wal_level = logical`, and a slot holds back the log while nobody reads it (set `max_slot_wal_keep_size`). The slot lives
 * on the primary: after a failover without slot synchronisation it must be installed again.
 * @throws CacheError CACHE_OPTIONS, CACHE_OUTBOX_COLUMN
 * @example
 * await installReplication(router.fleet, { namespace: 'shop', tables: [{ table: 'wallets', id: ['festival_id', 'id'], key: 'festival_id' }] })
 */
export async function installReplication(fleet: Fleet, options: InstallOutboxOptions): Promise<void> {
  const tables = checkOutboxTables(options.tables)
  const name = replicationName(options.namespace)
  for (const shard of fleet.shards) {
    await using connection = await shard.connect({ applicationName: 'shardwright cache replication' })
    for (const { table, id, key } of tables) {
      const columns = [...new Set([...id, ...(key === undefined ? [] : [key])])]
      checkColumnTypes(table, columns, await columnTypes(connection, table))
      await checkIdentity(connection, table, columns)
    }
    const list = tables.map(({ table }) => quotedTable(table)).join(', ')
    await connection.script(`drop publication if exists ${quoted(name)}; create publication ${quoted(name)} for table ${list}
      with (publish_via_partition_root = true);`)
    await connection.query(
      `select pg_create_logical_replication_slot($1, 'pgoutput')
       where not exists (select from pg_replication_slots where slot_name = $1)`,
      [slotName(name, shard.id)],
    )
  }
}

/** Slots belong to a server, which may hold several shards. */
export function slotName(name: string, shardId: string): string {
  return `${name}_${fingerprintOf(shardId).toLowerCase().replaceAll('-', '_')}`
}

/** Removes publication and slots. */
export async function removeReplication(fleet: Fleet, options: Pick<InstallOutboxOptions, 'namespace'>): Promise<void> {
  const name = replicationName(options.namespace)
  for (const shard of fleet.shards) {
    await using connection = await shard.connect({ applicationName: 'shardwright cache replication' })
    await connection.query(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1',
      [slotName(name, shard.id)],
    )
    await connection.script(`drop publication if exists ${quoted(name)};`)
  }
}

/** A deletion tells the columns of the replica identity only: id and key must be among them. */
async function checkIdentity(connection: FleetConnection, table: string, columns: readonly string[]): Promise<void> {
  const { rows } = await connection.query<{ name: string }>(
    `select a.attname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where c.oid = to_regclass(${literal(quotedTable(table))}) and (c.relreplident = 'f' or exists (
       select from pg_index i where i.indrelid = c.oid and a.attnum = any(i.indkey)
         and (c.relreplident = 'd' and i.indisprimary or c.relreplident = 'i' and i.indisreplident)))`,
  )
  const known = new Set(rows.map((row) => row.name))
  const missing = columns.find((column) => !known.has(column))
  if (missing === undefined) return
  throw new CacheError({
    code: 'CACHE_OUTBOX_COLUMN',
    message: `Column '${missing}' is not part of the replica identity of table '${table}': a deletion would not tell it.`,
    hint: 'Put it into the primary key, or set REPLICA IDENTITY FULL.',
    details: { table, column: missing },
  })
}
