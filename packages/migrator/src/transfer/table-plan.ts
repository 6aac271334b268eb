import type { FleetConnection, KeyType, Schema, TablePlacement } from '@shardwright/core'
import { inspectKeys } from '@shardwright/core'
import { TransferError } from '../errors/transfer-error.ts'
import { quoteIdentifier, quoteQualified } from '../sql/quote.ts'

/** How one table is copied. */
export interface TablePlan {
  readonly placement: TablePlacement
  /** Quoted and qualified. */
  readonly name: string
  /** Quoted; the shard key first. No generated ones. */
  readonly columns: readonly string[]
  readonly keyType: KeyType | undefined
}

/**
 * The tables to copy, parents before children: reference tables first, then family by family, then tables of one shard.
 * Views hold nothing of their own and are left out.
 * @throws TransferError TRANSFER_TABLES_DIFFER
 */
export async function planTables(
  schema: Schema,
  from: readonly FleetConnection[],
  to: readonly FleetConnection[],
): Promise<readonly (readonly TablePlan[])[]> {
  const source = await readTables(schema, from)
  const target = await readTables(schema, to)
  const real = schema.tables.filter((table) => source.get(table.name)?.isView !== true)
  const keys = real.some((table) => table.kind === 'sharded') ? (await inspectKeys(to[0]!, schema)).byTable : new Map()
  const plans = real.map((placement) => planTable(placement, source, target, keys.get(placement.name)))
  const foreignKeys = await readForeignKeys(schema, to)
  const stages = [
    plans.filter(({ placement }) => placement.kind === 'reference'),
    ...[...schema.families.keys()].map((family) =>
      plans.filter(({ placement }) => placement.kind === 'sharded' && placement.family === family),
    ),
    plans.filter(({ placement }) => placement.kind === 'single'),
  ]
  return stages.filter((stage) => stage.length > 0).map((stage) => parentsFirst(stage, foreignKeys))
}

interface FoundTable {
  readonly isView: boolean
  readonly columns: readonly string[]
}

type FoundTables = ReadonlyMap<string, FoundTable>

/** A table of one shard is found there: the first shard that has a table speaks for it. */
async function readTables(schema: Schema, shards: readonly FleetConnection[]): Promise<FoundTables> {
  const found = await Promise.all(shards.map((connection) => readShard(schema, connection)))
  return new Map(found.reverse().flatMap((tables) => [...tables]))
}

async function readShard(schema: Schema, connection: FleetConnection): Promise<FoundTables> {
  const { rows } = await connection.query<{ schema: string; table: string; view: boolean; columns: string[] }>(
    `select n.nspname as schema, c.relname as "table", c.relkind in ('v', 'm') as view,
       array_agg(a.attname::text order by a.attname collate "C") filter (where a.attgenerated = '') as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
     where c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped
       and (n.nspname, c.relname) in (select * from unnest($1::text[], $2::text[]))
     group by 1, 2, 3`,
    [schema.tables.map((table) => table.schema), schema.tables.map((table) => table.table)],
  )
  return new Map(
    rows.map((row) => [schema.find(row.table, row.schema)!.name, { isView: row.view, columns: row.columns }]),
  )
}

function planTable(
  placement: TablePlacement,
  source: FoundTables,
  target: FoundTables,
  keyType: KeyType | undefined,
): TablePlan {
  const from = source.get(placement.name)
  const to = target.get(placement.name)
  if (!from || !to) throw differ(placement, from ? 'is not at the target' : 'is not at the source')
  const missing = from.columns.filter((column) => !to.columns.includes(column))
  if (missing.length > 0) throw differ(placement, `has no column ${missing.join(', ')} at the target`)
  const key = placement.kind === 'sharded' ? [placement.key] : []
  const columns = [...key, ...from.columns.filter((column) => !key.includes(column))].map(quoteIdentifier)
  return Object.freeze({
    placement,
    name: quoteQualified(placement.schema, placement.table),
    columns: Object.freeze(columns),
    keyType: placement.kind === 'sharded' ? keyType : undefined,
  })
}

interface ForeignKeyRow {
  readonly child: string
  readonly parent: string
}

/** Foreign keys between the schema's tables, by their names there. */
async function readForeignKeys(schema: Schema, shards: readonly FleetConnection[]): Promise<readonly ForeignKeyRow[]> {
  return (await Promise.all(shards.map((connection) => readShardKeys(schema, connection)))).flat()
}

async function readShardKeys(schema: Schema, connection: FleetConnection): Promise<readonly ForeignKeyRow[]> {
  const { rows } = await connection.query<{ from: readonly [string, string]; to: readonly [string, string] }>(
    `select array[n.nspname, c.relname]::text[] as "from", array[m.nspname, p.relname]::text[] as "to"
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
     join pg_class p on p.oid = k.confrelid join pg_namespace m on m.oid = p.relnamespace
     where k.contype = 'f' and k.conparentid = 0 and k.conrelid <> k.confrelid`,
  )
  return rows.flatMap(({ from, to }) => {
    const child = schema.find(from[1], from[0])
    const parent = schema.find(to[1], to[0])
    return child && parent ? [{ child: child.name, parent: parent.name }] : []
  })
}

/** Tables of a circle stay in the schema's order. */
function parentsFirst(plans: readonly TablePlan[], keys: readonly ForeignKeyRow[]): readonly TablePlan[] {
  const left = [...plans]
  const ordered: TablePlan[] = []
  while (left.length > 0) {
    const names = new Set(left.map(({ placement }) => placement.name))
    const waits = ({ placement }: TablePlan) =>
      keys.some(({ child, parent }) => child === placement.name && names.has(parent))
    const next = left.findIndex((plan) => !waits(plan))
    ordered.push(...left.splice(Math.max(0, next), 1))
  }
  return Object.freeze(ordered)
}

function differ({ name }: TablePlacement, how: string): TransferError {
  return new TransferError({
    code: 'TRANSFER_TABLES_DIFFER',
    message: `The table ${name} ${how}.`,
    hint: 'Run the same migrations on both ends first.',
    details: { table: name },
  })
}
