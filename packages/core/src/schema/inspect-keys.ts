import { SchemaError } from '../errors/schema-error.ts'
import { type KeyType, keyTypes } from '../hashing/key-type.ts'
import type { Fleet, FleetConnection } from '../ports/fleet.ts'
import { FrozenMap } from './frozen-map.ts'
import { type KeyColumnRow, keyColumnSql } from './key-column-sql.ts'
import type { Schema } from './schema.ts'
import type { ShardedTable } from './table-placement.ts'

/** The types of the shard keys, by table name (as in `Database`) and by family. */
export interface KeyTypes {
  readonly byTable: ReadonlyMap<string, KeyType>
  /** The widest type of the family's tables: int8 where some have int4. */
  readonly byFamily: ReadonlyMap<string, KeyType>
}

/**
 * Reads the types of the shard keys from one server and refuses every column that cannot be a key.
 * @throws SchemaError KEY_COLUMN_NOT_FOUND, KEY_COLUMN_NULLABLE, KEY_TYPE_UNSUPPORTED, KEY_COLLATION_NONDETERMINISTIC,
 * KEY_ENCODING_UNSUPPORTED, KEY_TYPES_DIFFER
 * @example
 * const { byFamily } = await inspectKeys(connection, schema)
 * locate(topology, { family: 'festival_id', type: byFamily.get('festival_id')!, value })
 */
export async function inspectKeys(connection: FleetConnection, schema: Schema): Promise<KeyTypes> {
  const tables = schema.tables.filter((table): table is ShardedTable => table.kind === 'sharded')
  const { rows } = await connection.query<KeyColumnRow>(keyColumnSql, [
    tables.map((table) => table.schema),
    tables.map((table) => table.table),
    tables.map((table) => table.key),
  ])
  const byTable = new FrozenMap(
    tables.map((table, index) => [table.name, keyTypeOf(table, rows[index]!, connection.shardId)]),
  )
  return Object.freeze({ byTable, byFamily: new FrozenMap(familyTypes(schema, byTable, connection.shardId)) })
}

/**
 * `inspectKeys` on every shard; their types must agree.
 * @throws SchemaError as `inspectKeys`; ConnectionError SHARD_UNREACHABLE
 * @example
 * const keys = await inspectKeysOfFleet(fleet, schema)
 */
export async function inspectKeysOfFleet(fleet: Fleet, schema: Schema): Promise<KeyTypes> {
  const found = await Promise.all(
    fleet.shards.map(async (shard) => {
      await using connection = await shard.connect()
      return await inspectKeys(connection, schema)
    }),
  )
  const first = found[0]!
  for (const [index, keys] of found.entries()) {
    for (const [table, type] of keys.byTable) {
      const expected = first.byTable.get(table)
      if (type !== expected)
        throw shardsDisagree(table, [fleet.shards[0]!.id, expected], [fleet.shards[index]!.id, type])
    }
  }
  return first
}

function keyTypeOf(table: ShardedTable, row: KeyColumnRow, shard: string): KeyType {
  const column = `${table.schema}.${table.table}.${table.key}`
  const details = { table: table.name, column: table.key, shard }
  if (!row.table_exists || !row.column_exists) {
    const missing = row.table_exists
      ? `column '${table.key}' of table ${table.schema}.${table.table}`
      : `table ${table.schema}.${table.table}`
    throw new SchemaError({
      code: 'KEY_COLUMN_NOT_FOUND',
      message: `Shard '${shard}' has no ${missing}, which the schema shards.`,
      hint: 'Migrate the shard, or correct the name in defineSchema.',
      details,
    })
  }
  const type = keyTypes.find((name) => row.built_in && name === row.type_name)
  if (type === undefined) {
    throw new SchemaError({
      code: 'KEY_TYPE_UNSUPPORTED',
      message: `${column} on shard '${shard}' is of type ${row.type_text}, which cannot be a shard key.`,
      hint: `Use one of ${keyTypes.join(', ')}: their equal values hash alike.`,
      details: { ...details, type: row.type_text },
    })
  }
  if (!row.deterministic) {
    throw new SchemaError({
      code: 'KEY_COLLATION_NONDETERMINISTIC',
      message: `${column} on shard '${shard}' has the collation '${row.collation}', under which different texts are equal.`,
      hint: 'Give the key column a deterministic collation, e.g. COLLATE "C".',
      details: { ...details, collation: row.collation },
    })
  }
  if ((type === 'text' || type === 'varchar') && row.encoding !== 'UTF8') {
    throw new SchemaError({
      code: 'KEY_ENCODING_UNSUPPORTED',
      message: `${column} on shard '${shard}' is in a database of encoding ${row.encoding}, whose texts hash differently.`,
      hint: 'Create the database with ENCODING UTF8, or use a key that is not a text.',
      details: { ...details, encoding: row.encoding },
    })
  }
  if (!row.not_null) {
    throw new SchemaError({
      code: 'KEY_COLUMN_NULLABLE',
      message: `${column} on shard '${shard}' may hold NULL, which belongs to no shard.`,
      hint: `ALTER TABLE ${table.schema}.${table.table} ALTER COLUMN ${table.key} SET NOT NULL.`,
      details,
    })
  }
  return type
}

/** Types whose equal values hash alike, from the widest. */
const kin: readonly (readonly KeyType[])[] = [
  ['int8', 'int4', 'int2'],
  ['text', 'varchar'],
]

function familyTypes(schema: Schema, byTable: ReadonlyMap<string, KeyType>, shard: string): [string, KeyType][] {
  return [...schema.families.values()].map(({ name, tables }) => {
    const types = [...new Set(tables.map((table) => byTable.get(table.name)!))]
    const widest = types.length === 1 ? types[0] : widestOf(types)
    if (widest !== undefined) return [name, widest]
    const shown = tables.map((table) => `${table.name} ${byTable.get(table.name)}`).join(', ')
    throw new SchemaError({
      code: 'KEY_TYPES_DIFFER',
      message: `The keys of family '${name}' have types that hash differently on shard '${shard}': ${shown}.`,
      hint: 'Give the key columns of a family the same type, or the tables a family of their own.',
      details: { family: name, types, shard },
    })
  })
}

function widestOf(types: readonly KeyType[]): KeyType | undefined {
  const group = kin.find((candidates) => types.every((type) => candidates.includes(type)))
  return group?.find((type) => types.includes(type))
}

function shardsDisagree(table: string, a: readonly [string, unknown], b: readonly [string, unknown]): SchemaError {
  return new SchemaError({
    code: 'KEY_TYPES_DIFFER',
    message: `The key of '${table}' is of type ${a[1]} on shard '${a[0]}' and ${b[1]} on shard '${b[0]}'.`,
    hint: 'Migrate the shards to the same types.',
    details: { table, shards: [a[0], b[0]] },
  })
}
