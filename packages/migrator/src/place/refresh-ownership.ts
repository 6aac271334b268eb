import {
  type Fleet,
  type FleetConnection,
  type FleetShard,
  type KeyType,
  keyTypes,
  type Schema,
  type ShardedTable,
  type Topology,
} from '@shardwright/core'
import { kyselyOver } from '../connection/sink-dialect.ts'
import { TransactionSink } from '../connection/transaction-sink.ts'
import type { MigrationContext } from '../migration/migration-context.ts'
import { loadSqlParser } from '../sql/parse-sql.ts'
import { quoteIdentifier, quoteQualified } from '../sql/quote.ts'
import { checkedTables } from './checked-tables.ts'
import { addOwnershipCheck } from './ownership-check.ts'
import { ownershipConstraint, unknownKeyType } from './ownership-constraint.ts'

export interface RefreshOwnershipOptions {
  readonly fleet: Fleet
  readonly schema: Schema
  /** What the checks shall say from now on. */
  readonly topology: Topology
  /** How long one statement waits for its lock. Default 4,000. */
  readonly lockTimeoutMs?: number
}

export interface RefreshedCheck {
  readonly shard: string
  readonly table: string
}

/**
 * Makes the ownership checks that are there say what the topology says: after a shard was added, a bucket moved or a pin
 * changed. One transaction per table, and no moment without a check; the rows that are there are proven afterwards,
 * while writers go on, and a row that its shard does not own fails there with 23514 (the new check stays, not valid).
 *
 * @throws PlacementError OWNERSHIP_NOT_EXPRESSIBLE under murmur3
 * @example
 * await refreshOwnershipChecks({ fleet: router.fleet, schema, topology: nextTopology })
 */
export async function refreshOwnershipChecks(options: RefreshOwnershipOptions): Promise<readonly RefreshedCheck[]> {
  await loadSqlParser()
  const refreshed: RefreshedCheck[] = []
  for (const shard of options.fleet.shards) refreshed.push(...(await refreshShard(shard, options)))
  return refreshed
}

async function refreshShard(shard: FleetShard, options: RefreshOwnershipOptions): Promise<readonly RefreshedCheck[]> {
  await using connection = await shard.connect({ applicationName: 'shardwright-ownership' })
  await connection.query(`select set_config('lock_timeout', $1, false)`, [String(options.lockTimeoutMs ?? 4_000)])
  const checked = await checkedTables(connection)
  const tables = options.schema.tables
    .filter((table) => table.kind === 'sharded')
    .filter((table) => checked.has(`${table.schema}.${table.table}`))
  if (tables.length === 0) return []
  const context: MigrationContext = {
    shardId: shard.id,
    direction: 'up',
    schema: options.schema,
    topology: options.topology,
    dryRun: false,
  }
  for (const table of tables) {
    const keyType = await keyTypeOf(connection, table)
    await inTransaction(connection, () =>
      addOwnershipCheck(kyselyOver(new TransactionSink(connection, 'ownership')), context, table.name, { keyType }),
    )
    await connection.query(
      `alter table ${quoteQualified(table.schema, table.table)} validate constraint ${quoteIdentifier(ownershipConstraint)}`,
    )
  }
  return tables.map((table) => ({ shard: shard.id, table: table.name }))
}

/** Only of this table: others of the schema may not be there yet. */
async function keyTypeOf(connection: FleetConnection, table: ShardedTable): Promise<KeyType> {
  const { rows } = await connection.query<{ type: string }>(
    `select coalesce(b.typname, t.typname) as type from pg_attribute a join pg_type t on t.oid = a.atttypid
     left join pg_type b on t.typtype = 'd' and b.oid = t.typbasetype where a.attrelid = $1::regclass and a.attname = $2`,
    [quoteQualified(table.schema, table.table), table.key],
  )
  const type = keyTypes.find((candidate) => candidate === rows[0]?.type)
  if (!type) throw unknownKeyType(table)
  return type
}

async function inTransaction(connection: FleetConnection, work: () => Promise<void>): Promise<void> {
  await connection.query('begin')
  try {
    await work()
    await connection.query('commit')
  } catch (error) {
    await connection.query('rollback').catch(() => undefined)
    throw error
  }
}
