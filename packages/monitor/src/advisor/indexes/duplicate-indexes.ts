import { byObject, defineAdvisor } from '../advisor.ts'

interface Row {
  readonly index: string
  readonly other: string
  readonly same: boolean
  readonly partitioned: boolean
}

/** Indexes that another one of their table can stand for: the same columns, or the first of its columns. */
export const duplicateIndexes = defineAdvisor<readonly Row[]>({
  name: 'duplicate-indexes',
  topic: 'indexes',
  async gather(connection) {
    return (await connection.query<Row>(query)).rows
  },
  judge: (read) =>
    [...byObject(read, ({ index }) => index)].map(([index, [first, ...rest]]) => ({
      severity: 'advice',
      shards: [...new Set([first, ...rest].flatMap((seen) => (seen ? [seen.shard] : [])))],
      object: index,
      message: first?.row.same
        ? `the index ${index} is the same as ${first.row.other}`
        : `the index ${index} is the beginning of ${first?.row.other}, which can stand for it`,
      remedy: `DROP INDEX ${first?.row.partitioned ? '' : 'CONCURRENTLY '}${index}: every write pays for it.`,
    })),
})

// Of two equal ones the younger goes, unless it is the one a constraint needs. One of a partition goes with its parent's.
const query = `
  with candidates as (
    select i.indexrelid, i.indrelid, i.indisunique, i.indnkeyatts, i.indnatts, c.relam, m.amname,
      (i.indkey::int2[])[0:i.indnkeyatts - 1] as columns, (i.indclass::oid[])[0:i.indnkeyatts - 1] as classes,
      (i.indcollation::oid[])[0:i.indnkeyatts - 1] as collations, (i.indoption::int2[])[0:i.indnkeyatts - 1] as options,
      (i.indkey::int2[])[i.indnkeyatts:i.indnatts - 1] as included,
      coalesce(pg_get_expr(i.indexprs, i.indrelid), '') as expressions, coalesce(pg_get_expr(i.indpred, i.indrelid), '') as predicate,
      i.indisreplident or exists (select from pg_constraint k where k.conindid = i.indexrelid) as needed,
      c.relispartition, c.relkind = 'I' as partitioned, format('%I.%I', n.nspname, c.relname) as name
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace join pg_am m on m.oid = c.relam
    where i.indisvalid and n.nspname not in ('pg_catalog', 'pg_toast', 'shardwright') and c.relpersistence <> 't'
  )
  select distinct on (a.name) a.name as index, b.name as other, a.columns = b.columns and a.included = b.included as same,
    a.partitioned
  from candidates a join candidates b on b.indrelid = a.indrelid and b.indexrelid <> a.indexrelid and b.relam = a.relam
  where not a.needed and not a.relispartition and a.expressions = b.expressions and a.predicate = b.predicate
    and ((
      a.columns = b.columns and a.classes = b.classes and a.collations = b.collations and a.options = b.options
        and a.included = b.included and (not a.indisunique or b.indisunique)
        and (b.needed or b.indisunique and not a.indisunique or a.indisunique = b.indisunique and a.indexrelid > b.indexrelid)
    ) or (
      a.amname = 'btree' and not a.indisunique and a.expressions = '' and a.indnatts = a.indnkeyatts and b.indnkeyatts > a.indnkeyatts
        and b.columns[1:a.indnkeyatts] = a.columns[1:] and b.classes[1:a.indnkeyatts] = a.classes[1:]
        and b.collations[1:a.indnkeyatts] = a.collations[1:] and b.options[1:a.indnkeyatts] = a.options[1:]
    ))
  order by a.name, same desc, b.name`
