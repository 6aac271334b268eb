import type { AnyTopology, ReferenceTable, Schema, ShardedTable, SingleTable, TablePlacement } from '@shardwright/core'
import { PlacementError } from '../errors/placement-error.ts'
import type { MigrationContext } from '../migration/migration-context.ts'
import { onCitus } from './citus-placement.ts'

interface PlacementKinds {
  sharded: ShardedTable
  reference: ReferenceTable
  single: SingleTable
}

/** The placement of `name` (as in the `Database` type), which has to be of this kind. */
export function requirePlacement<Kind extends keyof PlacementKinds>(
  context: MigrationContext,
  name: string,
  kind: Kind,
): PlacementKinds[Kind] {
  const placement = requireAnyPlacement(context, name)
  if (placement.kind === kind) return placement as PlacementKinds[Kind]
  throw new PlacementError({
    code: 'PLACEMENT_UNKNOWN',
    message: `The table ${name} is placed as ${placement.kind} in the schema, not as ${kind}.`,
    hint: 'Use the helper of its placement, or correct defineSchema.',
    details: { table: name, placement: placement.kind },
  })
}

export function requireAnyPlacement(context: MigrationContext, name: string): TablePlacement {
  const schema = requireSchema(context)
  const placement = schema.tables.find((table) => table.name === name || table.table === name)
  if (placement) return placement
  throw new PlacementError({
    code: 'PLACEMENT_UNKNOWN',
    message: `The table ${name} has no placement in the schema.`,
    hint: 'Give it one in defineSchema: sharded(key), reference() or single(shard).',
    details: { table: name },
  })
}

export function requireSchema({ schema }: MigrationContext): Schema {
  if (schema) return schema
  throw incomplete('schema', 'The helper needs to know the placements.')
}

/** Whether a table on one shard is on the one that the migration runs on; a Citus cluster has only one. */
export function isHere({ shard }: SingleTable, context: MigrationContext): boolean {
  return onCitus(context) || shard === context.shardId
}

export function requireTopology({ topology }: MigrationContext): AnyTopology {
  if (topology) return topology
  throw incomplete('topology', 'An ownership check needs to know which buckets the shard holds.')
}

function incomplete(option: string, why: string): PlacementError {
  return new PlacementError({
    code: 'CONTEXT_INCOMPLETE',
    message: `${why} The migrator was made without \`${option}\`.`,
    hint: `Pass \`${option}\` to createMigrator, or name it in shardwright.config.ts.`,
    details: { option },
  })
}
