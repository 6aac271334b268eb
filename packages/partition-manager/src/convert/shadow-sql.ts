import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier } from '../sql/identifier.ts'
import { type ConvertNames, captureTrigger, newIndexName, truncateTrigger } from './convert-names.ts'
import type { SourceTable } from './source-table.ts'

/** The partitioned table beside the plain one: columns, checks, indexes and foreign keys, still without a row. */
export function shadowSql(source: SourceTable, policy: PartitionPolicy, names: ConvertNames): readonly string[] {
  const including = ['defaults', 'constraints', 'generated', 'identity', 'storage', 'compression', 'comments']
  const like = including.map((what) => `including ${what}`).join(' ')
  return [
    `create table ${names.shadow} (like ${names.source} ${like}) partition by range (${identifier(policy.by)})`,
    ...source.indexes
      .filter((index) => index.valid)
      .map((index) => {
        const name = identifier(newIndexName(index.name))
        if (index.constraint_type !== null) {
          return `alter table ${names.shadow} add constraint ${name} ${index.constraint_definition}`
        }
        return `create ${index.unique ? 'unique ' : ''}index ${name} on ${names.shadow} ${index.definition}`
      }),
    // With no row in it, a foreign key is valid at once; each row that is copied is checked as it comes.
    ...source.constraints
      .filter((constraint) => constraint.type === 'f')
      .map((fk) => `alter table ${names.shadow} add constraint ${identifier(fk.name)} ${fk.definition}`),
    ...(source.row.column_settings ? [`alter table ${names.shadow} ${source.row.column_settings}`] : []),
    ...(source.row.owned_by_us ? [] : [`alter table ${names.shadow} owner to ${identifier(source.row.owner)}`]),
  ]
}

/** What a partition has of its own beside the columns: owner, storage parameters, statistics targets. */
export function shadowPartitionSql(source: SourceTable, names: ConvertNames, child: string, values: string) {
  const { row } = source
  return [
    `create table ${child} partition of ${names.shadow} ${values}${row.options ? ` with (${row.options})` : ''}`,
    ...(row.column_settings ? [`alter table ${child} ${row.column_settings}`] : []),
    ...(row.owned_by_us ? [] : [`alter table ${child} owner to ${identifier(row.owner)}`]),
  ]
}

/** Where the keys of changed rows are noted while the copy goes on, and who notes them. */
export function captureSql(source: SourceTable, names: ConvertNames): readonly string[] {
  const keys = source.primaryKey.map((column) => identifier(column.name))
  const values = (record: 'old' | 'new') => keys.map((key) => `${record}.${key}`).join(', ')
  const note = (record: 'old' | 'new') => `insert into ${names.log} (${keys.join(', ')}) values (${values(record)});`
  return [
    `create table ${names.log} (seq bigint generated always as identity primary key, ${source.primaryKey
      .map((column) => `${identifier(column.name)} ${column.type} not null`)
      .join(', ')})`,
    `create function ${names.capture}() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $capture$
begin
  if tg_op = 'TRUNCATE' then
    raise exception 'TRUNCATE waits until the conversion of % has ended', tg_relid::regclass;
  end if;
  if tg_op in ('UPDATE', 'DELETE') then ${note('old')} end if;
  if tg_op = 'INSERT' or (tg_op = 'UPDATE' and row(${values('old')}) is distinct from row(${values('new')})) then
    ${note('new')}
  end if;
  return null;
end $capture$`,
  ]
}

/** ALWAYS: rows that logical replication brings count too. */
export function captureTriggerSql(names: ConvertNames): readonly string[] {
  return [
    `create trigger ${captureTrigger} after insert or update or delete on ${names.source} for each row execute function ${names.capture}()`,
    `create trigger ${truncateTrigger} before truncate on ${names.source} for each statement execute function ${names.capture}()`,
    `alter table ${names.source} enable always trigger ${captureTrigger}`,
    `alter table ${names.source} enable always trigger ${truncateTrigger}`,
  ]
}

export function dropCaptureSql(names: ConvertNames): readonly string[] {
  return [
    `drop trigger if exists ${captureTrigger} on ${names.source}`,
    `drop trigger if exists ${truncateTrigger} on ${names.source}`,
    `drop function if exists ${names.capture}()`,
    `drop table if exists ${names.log}`,
  ]
}
