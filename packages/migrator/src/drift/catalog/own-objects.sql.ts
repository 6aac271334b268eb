/** Schemas that are nobody's application: PostgreSQL's and ours. */
export const foreignSchemas = (alias: string) =>
  `${alias}.nspname !~ '^pg_' and ${alias}.nspname not in ('information_schema', 'shardwright')`

/** Not an extension's own object. */
export const notOfExtension = (catalog: string, oid: string) =>
  `not exists (select from pg_depend x where x.classid = '${catalog}'::regclass and x.objid = ${oid} and x.deptype = 'e')`

/** Application tables: no partitions (they differ by time), nothing of ours. */
export const applicationTable = (alias: string) =>
  `not ${alias}.relispartition and ${alias}.relname !~ '^shardwright_' and ${notOfExtension('pg_class', `${alias}.oid`)}`
