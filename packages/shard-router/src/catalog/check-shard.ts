import { type KeyType, keyTypes, type Schema, type ShardedTable } from '@shardwright/core'
import { RoutingError } from '../errors/routing-error.ts'
import type { ShardList } from '../pool/shard-list.ts'
import type { RawTable, ShardFacts } from './shard-facts.ts'

type Shards = Pick<ShardList, 'shards'>

/** A shard whose facts are known. */
export interface KnownShard {
  readonly id: string
  readonly facts: ShardFacts
}

/**
 * Holds a shard against the schema, and against another shard.
 * @throws RoutingError CATALOG_MISMATCH, KEY_COLUMN_UNSUITABLE, UNKNOWN_SHARD
 */
export function checkShard(schema: Schema, shard: KnownShard, other: KnownShard, topology: Shards): void {
  checkDatabase(shard, other)
  checkTables(schema, shard.facts.tables, shard.id, topology)
}

/** Text compares by the database's collation: two of them would order rows in two ways. */
function checkDatabase({ id, facts }: KnownShard, other: KnownShard): void {
  for (const setting of ['encoding', 'collate', 'ctype'] as const) {
    const own = facts.database[setting]
    const theirs = other.facts.database[setting]
    if (own === theirs) continue
    throw new RoutingError({
      code: 'CATALOG_MISMATCH',
      message: `Shard '${id}' has the database ${setting} ${own}, and '${other.id}' has ${theirs}.`,
      hint: 'Create the databases of all shards with the same encoding and locale.',
      details: { setting, shard: id },
    })
  }
}

function checkTables(schema: Schema, found: readonly RawTable[], shard: string, topology: Shards): void {
  for (const placement of schema.tables) {
    if (placement.kind === 'single' && placement.shard !== shard) {
      if (topology.shards.some((known) => known.id === placement.shard)) continue
      throw new RoutingError({
        code: 'UNKNOWN_SHARD',
        message: `Table '${placement.name}' is placed on shard '${placement.shard}', which the topology does not have.`,
        hint: `Use one of: ${topology.shards.map((known) => known.id).join(', ')}.`,
        details: { table: placement.name, shard: placement.shard },
      })
    }
    const raw = found.find((table) => table.schema === placement.schema && table.table === placement.table)
    if (!raw) {
      throw new RoutingError({
        code: 'CATALOG_MISMATCH',
        message: `Table ${placement.schema}.${placement.table} does not exist on shard '${shard}'.`,
        hint: 'Run the migrations on this shard, or correct defineSchema.',
        details: { table: placement.name, shard },
      })
    }
    if (placement.kind === 'sharded') checkKeyColumn(placement, raw, shard)
  }
}

function checkKeyColumn(placement: ShardedTable, raw: RawTable, shard: string): void {
  const column = raw.columns?.find((candidate) => candidate.name === placement.key)
  const where = `${placement.table}.${placement.key} on shard '${shard}'`
  if (!column) {
    throw new RoutingError({
      code: 'CATALOG_MISMATCH',
      message: `The shard key column ${where} does not exist.`,
      hint: 'Add the column, or correct the key in defineSchema.',
      details: { table: placement.name, column: placement.key, shard },
    })
  }
  const isView = raw.kind !== 'r' && raw.kind !== 'p'
  const fault = !isKeyType(column.base)
    ? `has type ${column.type}`
    : !column.notNull && !isView
      ? 'is nullable'
      : column.base.startsWith('timestamp') && column.modifier >= 0 && column.modifier < 6
        ? `keeps only ${column.modifier} digits of a second, so a stored key would differ from the one that was given`
        : column.deterministic
          ? undefined
          : 'has a non-deterministic collation'
  if (!fault) return
  throw new RoutingError({
    code: 'KEY_COLUMN_UNSUITABLE',
    message: `The shard key column ${where} ${fault}.`,
    hint: 'Make it NOT NULL, of type smallint, integer, bigint, text, varchar, uuid, date, timestamp or timestamptz, with a deterministic collation.',
    details: { table: placement.name, column: placement.key, shard },
  })
}

function isKeyType(type: string): type is KeyType {
  return (keyTypes as readonly string[]).includes(type)
}
