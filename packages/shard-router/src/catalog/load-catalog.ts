import type { Clock, KeyType, Schema } from '@shardwright/core'
import { shardIndex } from '../execute/route.ts'
import { loadLookups } from '../lookup/load-lookups.ts'
import type { Catalog, CatalogTable, FunctionTraits } from '../plan/catalog.ts'
import { poolError } from '../pool/pool-error.ts'
import { isSafeAgain } from '../pool/safe-again.ts'
import type { ShardList } from '../pool/shard-list.ts'
import type { AnyShardPool } from '../pool/shard-pool.ts'
import { answersInTime } from './answers-in-time.ts'
import { type AskPool, askPool } from './ask-pool.ts'
import { functionsQuery } from './catalog-query.ts'
import { checkShard, type KnownShard } from './check-shard.ts'
import { familyLengths, familyTypes } from './family-keys.ts'
import { type RawTable, readShardFacts } from './shard-facts.ts'
import { UnreadShards } from './unread-shards.ts'

type Shards = Pick<ShardList, 'shards'>

export interface LoadedCatalog {
  readonly catalog: Catalog
  /** Set when some shards could not be reached. */
  readonly unread?: UnreadShards
}

/**
 * Reads what the planner needs from every shard, and checks that the tables and the shard keys are as the schema says.
 * Shards that cannot be reached are left out, unless there is no other; with a clock, also those that are late by far.
 * @throws RoutingError CATALOG_MISMATCH, KEY_COLUMN_UNSUITABLE; ConnectionError SHARD_UNREACHABLE
 */
export async function loadCatalog(
  schema: Schema,
  topology: Shards,
  pool: AnyShardPool,
  clock?: Clock,
): Promise<LoadedCatalog> {
  const ask = askPool(pool)
  const asking = topology.shards.map((_, shard) =>
    readShardFacts(schema, (sql, parameters) => ask(shard, sql, parameters)),
  )
  const late = (index: number) => lateError(topology.shards[index]?.id ?? String(index))
  const answers = await (clock ? answersInTime(asking, clock, late) : Promise.allSettled(asking))
  const unread = new Map<string, unknown>()
  const known: KnownShard[] = []
  for (const [index, answer] of answers.entries()) {
    const id = topology.shards[index]?.id ?? String(index)
    if (answer.status === 'fulfilled') known.push({ id, facts: answer.value })
    else if (isSafeAgain(answer.reason, 'read')) unread.set(id, answer.reason)
    else throw answer.reason
  }
  const [first] = known
  if (first === undefined) throw [...unread.values()][0]
  for (const shard of known) checkShard(schema, shard, first, topology)
  const asked = shardIndex(topology, first.id)
  const functions = await readFunctions(ask, asked)
  const raw = known.flatMap(({ facts }) => facts.tables)
  const tables = new Map<string, CatalogTable>()
  for (const table of raw) {
    const name = nameOf(table.schema, table.table)
    if (!tables.has(name)) tables.set(name, catalogTable(table))
  }
  const types = familyTypes(schema, raw)
  const lengths = familyLengths(schema, raw)
  const awaited = singleTablesOn(schema, unread)
  const tableOf = (schemaName: string, table: string) => {
    const name = nameOf(schemaName, table)
    if (awaited.has(name)) throw awaited.get(name)
    return tables.get(name)
  }
  const catalog = Object.freeze({
    table: tableOf,
    functionTraits: (name: string) => functions.get(name),
    keyType: (family: string) => types.get(family) as KeyType,
    keyLength: (family: string) => lengths.get(family),
    ...(await loadLookups(
      schema,
      topology,
      ask,
      (table) => tableOf(table.schema, table.table),
      asked,
      unread.size > 0,
    )),
  })
  return unread.size === 0 ? { catalog } : { catalog, unread: new UnreadShards(schema, topology, first, unread) }
}

/**
 * For a router with one shard only: there is nothing to plan, and the program may create its tables itself.
 * @throws RoutingError UNKNOWN_SHARD; ConnectionError SHARD_UNREACHABLE
 */
export async function emptyCatalog(shard: string, pool: AnyShardPool): Promise<Catalog> {
  await askPool(pool)(shardIndex(pool.topology, shard), 'select 1', [])
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

/** Single tables that nobody else can tell of, with the reason why. */
function singleTablesOn(schema: Schema, unread: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const awaited = schema.tables.flatMap((table) =>
    table.kind === 'single' && unread.has(table.shard)
      ? [[nameOf(table.schema, table.table), unread.get(table.shard)] as const]
      : [],
  )
  return new Map(awaited)
}

function lateError(shard: string): Error {
  const message = `Shard ${shard} has not told of its tables yet.`
  return poolError('SHARD_UNREACHABLE', message, { shard, details: { sent: false } })
}

async function readFunctions(ask: AskPool, shard: number): Promise<ReadonlyMap<string, FunctionTraits>> {
  const rows = await ask(shard, functionsQuery, [])
  return new Map((rows as (FunctionTraits & { name: string })[]).map(({ name, ...traits }) => [name, traits]))
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
