/** A foreign key: `child` refers to `parent`; numbers of tables, counted from 1, in the order that was asked for. */
export interface TableLink {
  readonly child: number
  readonly parent: number
}

/** Foreign keys among the tables of `$1`. */
export const foreignKeysSql = `select child.place::int as child, parent.place::int as parent
 from pg_catalog.pg_constraint link
 join unnest($1::text[]) with ordinality as child (name, place) on child.name::regclass = link.conrelid
 join unnest($1::text[]) with ordinality as parent (name, place) on parent.name::regclass = link.confrelid
 where link.contype = 'f' and link.conrelid <> link.confrelid`

/** Tables that lose or change rows when rows of the tables of `$1` go, and are none of them; partitions go with theirs. */
export const carriedAwaySql = `select distinct link.conrelid::regclass::text as name from pg_catalog.pg_constraint link
 where link.contype = 'f' and link.conparentid = 0 and link.confdeltype in ('c', 'n', 'd')
 and link.confrelid in (select name::regclass from unnest($1::text[]) as own (name))
 and link.conrelid not in (select name::regclass from unnest($1::text[]) as own (name)) order by 1`

/** Tables in an order in which each comes after those it refers to; tables in a circle come as they were. */
export function parentsFirst<T>(tables: readonly T[], links: readonly TableLink[]): T[] {
  const ordered: T[] = []
  const waiting = new Set(tables.keys())
  while (waiting.size > 0) {
    const free = [...waiting].filter(
      (index) => !links.some(({ child, parent }) => child === index + 1 && waiting.has(parent - 1)),
    )
    for (const index of free.length > 0 ? free : [...waiting]) {
      ordered.push(tables[index]!)
      waiting.delete(index)
    }
  }
  return ordered
}
