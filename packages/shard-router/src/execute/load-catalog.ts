import { type KeyType, keyTypes, type Schema, type ShardedTable } from '@shardwright/core'
import { z } from 'zod'
import { RoutingError } from '../errors/routing-error.ts'
import { loadLookups } from '../lookup/load-lookups.ts'
import type { Catalog, CatalogTable, FunctionTraits } from '../plan/catalog.ts'
import type { ShardList } from '../pool/shard-list.ts'
import type { AnyShardPool } from '../pool/shard-pool.ts'
import { databaseQuery, functionsQuery, tablesQuery } from './catalog-query.ts'
import { shardIndex } from './route.ts'

type Shards = Pick<ShardList, 'shards'>

const columnShape = z.object({
  name: z.string(),
  type: z.string(),
  base: z.string(),
  modifier: z.number(),
  notNull: z.boolean(),
  defaultSql: z.string().nullable(),
  identity: z.string(),
  generated: z.boolean(),
  deterministic: z.boolean(),
})
const tableShape = z.object({
  schema: z.string(),
  table: z.string(),
  kind: z.string(),
  columns: z.array(columnShape).nullable(),
  primaryKey: z.array(z.string()).nullable(),
  reaches: z.boolean(),
  refersToItself: z.boolean(),
  uniques: z.array(z.object({ name: z.string(), columns: z.array(z.string()).nullable() })).nullable(),
})
type RawTable = z.infer<typeof tableShape>

/**
 * Reads what the planner needs from every shard, and checks that the tables and the shard keys are as the schema says.
 * @throws RoutingError CATALOG_MISMATCH, KEY_COLUMN_UNSUITABLE
 */
export async function loadCatalog(schema: Schema, topology: Shards, pool: AnyShardPool): Promise<Catalog> {
  const perShard = await Promise.all(topology.shards.map((_, shard) => readTables(schema, pool, shard)))
  const functions = await readFunctions(pool)
  await checkDatabases(topology, pool)
  for (const [index, shard] of topology.shards.entries()) {
    checkTables(schema, perShard[index] as RawTable[], shard.id, topology)
  }
  const tables = new Map<string, CatalogTable>()
  for (const raw of perShard.flat()) {
    const name = nameOf(raw.schema, raw.table)
    if (!tables.has(name)) tables.set(name, catalogTable(raw))
  }
  const types = familyTypes(schema, perShard.flat())
  const lengths = familyLengths(schema, perShard.flat())
  return Object.freeze({
    table: (schemaName: string, table: string) => tables.get(nameOf(schemaName, table)),
    functionTraits: (name: string) => functions.get(name),
    keyType: (family: string) => types.get(family) as KeyType,
    keyLength: (family: string) => lengths.get(family),
    ...(await loadLookups(schema, topology, pool, (table) => tables.get(nameOf(table.schema, table.table)))),
  })
}

/**
 * For a router with one shard only: there is nothing to plan, and the program may create its tables itself.
 * @throws RoutingError UNKNOWN_SHARD; ConnectionError SHARD_UNREACHABLE
 */
export async function emptyCatalog(shard: string, pool: AnyShardPool): Promise<Catalog> {
  await pool.execute(shardIndex(pool.topology, shard), {
    sql: 'select 1',
    parameters: [],
    access: 'write',
    rows: 'facts',
  })
  return Object.freeze({
    table: () => undefined,
    functionTraits: () => undefined,
    keyType: () => 'text' as const,
    keyLength: () => undefined,
    lookupReady: () => false,
    cascadesToLookups: new Map(),
  })
}

function nameOf(schema: string, table: string): string {
  return `${schema}\u0000${table}`
}

async function readTables(schema: Schema, pool: AnyShardPool, shard: number): Promise<RawTable[]> {
  const result = await pool.execute(shard, {
    sql: tablesQuery,
    parameters: [schema.tables.map((table) => table.schema), schema.tables.map((table) => table.table)],
    access: 'write',
    rows: 'facts',
  })
  return z.array(tableShape).parse(result.rows)
}

async function readFunctions(pool: AnyShardPool): Promise<ReadonlyMap<string, FunctionTraits>> {
  const { rows } = await pool.execute(0, { sql: functionsQuery, parameters: [], access: 'write', rows: 'facts' })
  return new Map((rows as (FunctionTraits & { name: string })[]).map(({ name, ...traits }) => [name, traits]))
}

interface DatabaseFacts {
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
  readonly version: number
}

/** Text compares by the database's collation: two of them would order rows in two ways. */
async function checkDatabases(topology: Shards, pool: AnyShardPool): Promise<void> {
  const facts = await Promise.all(
    topology.shards.map(async (_, shard) => {
      const { rows } = await pool.execute(shard, {
        sql: databaseQuery,
        parameters: [],
        access: 'write',
        rows: 'facts',
      })
      return rows[0] as DatabaseFacts
    }),
  )
  const [first] = facts
  facts.forEach((own, index) => {
    for (const setting of ['encoding', 'collate', 'ctype'] as const) {
      if (!first || own[setting] === first[setting]) continue
      throw new RoutingError({
        code: 'CATALOG_MISMATCH',
        message: `Shard '${topology.shards[index]?.id}' has the database ${setting} ${own[setting]}, and '${topology.shards[0]?.id}' has ${first[setting]}.`,
        hint: 'Create the databases of all shards with the same encoding and locale.',
        details: { setting, shard: topology.shards[index]?.id },
      })
    }
  })
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

/** Integers of all widths hash alike, and so do text and varchar; the widest stands for the family. */
const wider: readonly (readonly KeyType[])[] = [
  ['int8', 'int4', 'int2'],
  ['text', 'varchar'],
]

function familyTypes(schema: Schema, tables: readonly RawTable[]): ReadonlyMap<string, KeyType> {
  const types = new Map<string, KeyType>()
  for (const family of schema.families.values()) {
    for (const placement of family.tables) {
      const raw = tables.find((table) => table.schema === placement.schema && table.table === placement.table)
      const own = raw?.columns?.find((column) => column.name === placement.key)?.base as KeyType
      const known = types.get(family.name)
      const common = known === undefined || known === own ? own : commonType(known, own)
      if (!common) {
        throw new RoutingError({
          code: 'CATALOG_MISMATCH',
          message: `The tables of key family '${family.name}' have shard keys of types ${known} and ${own}, which are not hashed alike.`,
          hint: 'Give the key columns of a family one type.',
          details: { family: family.name, table: placement.name },
        })
      }
      types.set(family.name, common)
    }
  }
  return types
}

/** atttypmod of varchar(n) is n + 4. */
function familyLengths(schema: Schema, tables: readonly RawTable[]): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>()
  for (const family of schema.families.values()) {
    for (const placement of family.tables) {
      for (const raw of tables) {
        if (raw.schema !== placement.schema || raw.table !== placement.table) continue
        const column = raw.columns?.find((candidate) => candidate.name === placement.key)
        if (column?.base !== 'varchar' || column.modifier < 4) continue
        lengths.set(family.name, Math.min(lengths.get(family.name) ?? Number.POSITIVE_INFINITY, column.modifier - 4))
      }
    }
  }
  return lengths
}

function commonType(a: KeyType, b: KeyType): KeyType | undefined {
  return wider.find((group) => group.includes(a) && group.includes(b))?.[0]
}

function catalogTable(raw: RawTable): CatalogTable {
  return Object.freeze({
    schema: raw.schema,
    table: raw.table,
    primaryKey: Object.freeze(raw.primaryKey ?? []),
    reaches: raw.reaches,
    refersToItself: raw.refersToItself,
    uniques: Object.freeze((raw.uniques ?? []).map(({ name, columns }) => ({ name, columns: columns ?? undefined }))),
    columnNames: Object.freeze((raw.columns ?? []).map(({ name }) => name)),
    columns: Object.freeze(
      (raw.columns ?? []).map((column) => ({
        name: column.name,
        type: column.type,
        notNull: column.notNull,
        defaultSql: column.defaultSql ?? undefined,
        identity:
          column.identity === 'a' ? ('always' as const) : column.identity === 'd' ? ('by default' as const) : undefined,
        generated: column.generated,
      })),
    ),
  })
}
