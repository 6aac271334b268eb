import type { KeyType } from '@shardwright/core'
import type { CreateTableBuilder, Kysely } from 'kysely'
import { sql } from 'kysely'
import type { MigrationContext } from '../migration/migration-context.ts'
import { distributeTable, onCitus } from './citus-placement.ts'
import { addOwnershipCheck } from './ownership-check.ts'
import { unknownKeyType } from './ownership-constraint.ts'
import { requirePlacement, requireSchema } from './require-context.ts'
import { assertKeyInPrimaryKey, keyTypeOf } from './table-shape.ts'

/** Adds columns and constraints to a table that the helper has begun. */
export type BuildTable = (table: CreateTableBuilder<string, never>) => CreateTableBuilder<string, string>

export interface ShardedTableOptions {
  /**
   * Adds a CHECK that only rows of this shard's keys can enter. Needs the topology and hash 'postgres'. Citus itself places
   * every row, so there is none there. Default false.
   */
  readonly ownership?: boolean
  /** The key's type for the ownership check, when the builder does not tell (a domain). */
  readonly keyType?: KeyType
  /**
   * Makes it a table partitioned by range of this column. Takes the policy of the partition-manager itself
   * (`definePartitions`), which then makes the partitions.
   */
  readonly partitionBy?: string | { readonly by: string }
}

/**
 * Creates a table that the schema places as sharded, on this shard. On Citus it is distributed by its key, in the
 * co-location group of its family.
 *
 * @throws PlacementError PLACEMENT_UNKNOWN, KEY_NOT_IN_PRIMARY_KEY, OWNERSHIP_NOT_EXPRESSIBLE, CONTEXT_INCOMPLETE
 * @example
 * await createShardedTable(db, context, 'wallets', (t) =>
 *   t.addColumn('festival_id', 'uuid').addColumn('id', 'uuid').addPrimaryKeyConstraint('wallets_pkey', ['festival_id', 'id']))
 */
export async function createShardedTable(
  db: Kysely<unknown>,
  context: MigrationContext,
  name: string,
  build: BuildTable,
  options: ShardedTableOptions = {},
): Promise<void> {
  const placement = requirePlacement(context, name, 'sharded')
  let table = build(db.withSchema(placement.schema).schema.createTable(placement.table)) as CreateTableBuilder<
    string,
    string
  >
  const node = table.toOperationNode()
  assertKeyInPrimaryKey(node, placement)
  if (options.partitionBy) table = table.modifyEnd(sql`partition by range (${sql.id(columnOf(options.partitionBy))})`)
  const type = options.keyType ?? keyTypeOf(node, placement)
  const ownership = options.ownership === true && !onCitus(context)
  if (ownership && !type) throw unknownKeyType(placement)
  await table.execute()
  if (onCitus(context)) await distributeTable(db, requireSchema(context), placement)
  if (ownership && type) await addOwnershipCheck(db, context, name, { keyType: type, validate: true })
}

function columnOf(partition: string | { readonly by: string }): string {
  return typeof partition === 'string' ? partition : partition.by
}
