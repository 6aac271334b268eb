import { isCitus, type KeyType, type OwnedColumn, ownershipExpression, type Topology } from '@shardwright/core'
import { type Kysely, sql } from 'kysely'
import { PlacementError } from '../errors/placement-error.ts'
import type { MigrationContext } from '../migration/migration-context.ts'
import { quoteIdentifier, quoteQualified } from '../sql/quote.ts'
import { ownershipConstraint } from './ownership-constraint.ts'
import { requirePlacement, requireTopology } from './require-context.ts'

export interface OwnershipOptions {
  readonly keyType: KeyType
  /** Also proves it over the rows that are there (ShareUpdateExclusiveLock: writers go on). Default false. */
  readonly validate?: boolean
}

/**
 * Adds a CHECK that no row of another shard's keys can enter the table, pins included; replaces an earlier one.
 * The topology decides its text, so it is made anew whenever buckets or pins of the shard change. On Citus it does nothing:
 * there every row is placed by the server.
 *
 * @throws PlacementError OWNERSHIP_NOT_EXPRESSIBLE under murmur3, CONTEXT_INCOMPLETE, PLACEMENT_UNKNOWN
 * @example
 * await addOwnershipCheck(db, context, 'wallets', { keyType: 'uuid' })
 */
export async function addOwnershipCheck(
  db: Kysely<unknown>,
  context: MigrationContext,
  name: string,
  options: OwnershipOptions,
): Promise<void> {
  const placement = requirePlacement(context, name, 'sharded')
  const topology = requireTopology(context)
  if (isCitus(topology)) return
  if (topology.hash !== 'postgres') {
    throw new PlacementError({
      code: 'OWNERSHIP_NOT_EXPRESSIBLE',
      message: `The ownership of ${name} cannot be checked by the server: ${topology.hash} has no built-in expression there.`,
      hint: "Use hash: 'postgres' in the topology; `doctor` counts rows on the wrong shard under any hash.",
      details: { table: name, hash: topology.hash },
    })
  }
  const key = quoteIdentifier(placement.key)
  const owned = ownedKeys(topology, context.shardId, {
    family: placement.family,
    type: options.keyType,
    columnSql: key,
  })
  const table = sql.raw(quoteQualified(placement.schema, placement.table))
  const constraint = sql.id(ownershipConstraint)
  await sql`alter table ${table} drop constraint if exists ${constraint}`.execute(db)
  // A NULL key would pass: CHECK lets unknown through.
  await sql`alter table ${table} add constraint ${constraint} check (${sql.raw(`${key} is not null and ${owned}`)}) not valid`.execute(
    db,
  )
  if (options.validate) await sql`alter table ${table} validate constraint ${constraint}`.execute(db)
}

/** A shard that is being added is not in the topology yet: it owns nothing. */
function ownedKeys(topology: Topology, shard: string, column: OwnedColumn): string {
  return topology.shards.some(({ id }) => id === shard) ? ownershipExpression(topology, shard, column) : 'false'
}

/**
 * Takes the ownership check away, e.g. before a bucket moves here.
 *
 * @example
 * await dropOwnershipCheck(db, context, 'wallets')
 */
export async function dropOwnershipCheck(db: Kysely<unknown>, context: MigrationContext, name: string): Promise<void> {
  const { schema, table } = requirePlacement(context, name, 'sharded')
  await sql`alter table ${sql.raw(quoteQualified(schema, table))} drop constraint if exists ${sql.id(ownershipConstraint)}`.execute(
    db,
  )
}
