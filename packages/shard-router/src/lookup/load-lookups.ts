import { type KeyType, keyTypes, type Lookup, type Schema, type Topology } from '@shardwright/core'
import type { AskPool } from '../catalog/ask-pool.ts'
import { RoutingError } from '../errors/routing-error.ts'
import type { Cascade, Catalog, CatalogTable } from '../plan/catalog.ts'

type LookupFacts = Pick<Catalog, 'lookupReady' | 'cascadesToLookups'>

const none: LookupFacts = Object.freeze({ lookupReady: () => false, cascadesToLookups: new Map() })

/**
 * Reads how far the lookups are filled, and which tables cascade to theirs (from shard number `asked`). A lookup that is not
 * ready on every shard is kept, and not yet asked; `incomplete` when shards are missing, which may not be ready.
 * @throws RoutingError LOOKUP_UNSUITABLE
 */
export async function loadLookups(
  schema: Schema,
  topology: Pick<Topology, 'shards'>,
  ask: AskPool,
  tableOf: (table: Lookup['table']) => CatalogTable | undefined,
  asked: number,
  incomplete: boolean,
): Promise<LookupFacts> {
  if (schema.lookups.length === 0) return none
  for (const lookup of schema.lookups) checkColumns(lookup, tableOf(lookup.table), tableOf(lookup.entries))
  const states = incomplete ? [] : await Promise.all(topology.shards.map((_, shard) => readStates(ask, shard)))
  const ready = schema.lookups.filter(({ name }) => !incomplete && states.every((state) => state.get(name) === 'ready'))
  const readyNames = new Set(ready.map(({ name }) => name))
  const names = [schema.lookups.map(({ table }) => table.schema), schema.lookups.map(({ table }) => table.table)]
  const rows = await ask(asked, cascadesSql, names)
  return {
    lookupReady: (name) => readyNames.has(name),
    cascadesToLookups: new Map((rows as (Cascade & { name: string })[]).map(({ name, ...cascade }) => [name, cascade])),
  }
}

async function readStates(ask: AskPool, shard: number): Promise<ReadonlyMap<string, string>> {
  const rows = await ask(shard, 'select name, state from shardwright.lookup', [])
  return new Map((rows as { name: string; state: string }[]).map(({ name, state }) => [name, state]))
}

/** Tables that refer to one that was found, from whose end an action other than NO ACTION and RESTRICT arrives. */
const cascadesSql = `with recursive reached as (
  select c.oid from unnest($1::text[], $2::text[]) as wanted (schema, name)
  join pg_catalog.pg_namespace n on n.nspname = wanted.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
  union
  select link.confrelid from reached join pg_catalog.pg_constraint link on link.conrelid = reached.oid
  where link.contype = 'f' and (link.confdeltype in ('c', 'n', 'd') or link.confupdtype in ('c', 'n', 'd'))
)
select n.nspname || '.' || c.relname as name, bool_or(link.confdeltype in ('c', 'n', 'd')) as "onDelete",
 coalesce(array_agg(a.attname::text) filter (where link.confupdtype in ('c', 'n', 'd')), '{}') as "onUpdate"
from pg_catalog.pg_constraint link join reached on reached.oid = link.conrelid
join pg_catalog.pg_class c on c.oid = link.confrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = link.confrelid and a.attnum = any(link.confkey)
where link.contype = 'f' and (link.confdeltype in ('c', 'n', 'd') or link.confupdtype in ('c', 'n', 'd'))
group by 1`

function checkColumns(lookup: Lookup, table: CatalogTable | undefined, entries: CatalogTable | undefined): void {
  const column = table?.columns.find(({ name }) => name === lookup.column)
  const held = entries?.columns.find(({ name }) => name === lookup.column)
  const fault =
    column === undefined
      ? 'does not exist'
      : column.type !== held?.type
        ? `has type ${column.type}, and its entries ${held?.type}`
        : table?.primaryKey.length === 0
          ? 'belongs to a table without a primary key, whose rows cannot be told apart'
          : undefined
  if (fault === undefined) return
  throw new RoutingError({
    code: 'LOOKUP_UNSUITABLE',
    message: `The column ${lookup.table.table}.${lookup.column} of the lookup '${lookup.name}' ${fault}.`,
    hint: `Its type has to be one of ${keyTypes.join(', ')}, the same as in its entries.`,
    details: { lookup: lookup.name, table: lookup.table.name, column: lookup.column },
  })
}

/** The type by which a lookup's values are hashed. */
export function valueTypeOf(lookup: Lookup, catalog: Catalog): KeyType {
  return catalog.keyType(lookup.entries.family)
}
