import type { PartitionPolicy } from '../policy/policy.ts'
import { fitName, identifier, literal, qualified } from '../sql/identifier.ts'
import { type ConvertNames, newIndexName, oldIndexName } from './convert-names.ts'
import { dropCaptureSql } from './shadow-sql.ts'
import type { GrantRow, PolicyRow, StatisticsRow, TriggerRow } from './source-query.ts'
import type { SourceTable } from './source-table.ts'

const enableWords: Readonly<Record<string, string>> = {
  D: 'disable trigger',
  R: 'enable replica trigger',
  A: 'enable always trigger',
}

const commandWords: Readonly<Record<string, string>> = {
  r: 'select',
  a: 'insert',
  w: 'update',
  d: 'delete',
  '*': 'all',
}

/**
 * The statements of the swap, all catalog changes: they run in one transaction under ACCESS EXCLUSIVE, after the last
 * noted changes were copied.
 */
export function swapSql(source: SourceTable, policy: PartitionPolicy, names: ConvertNames): readonly string[] {
  const table = names.source
  const old = qualified(source.schema, names.oldName)
  return [
    ...dropCaptureSql(names),
    `alter table ${table} rename to ${identifier(names.oldName)}`,
    `alter table ${names.shadow} rename to ${identifier(policy.table)}`,
    ...renamedIndexes(source),
    ...sequences(source, table),
    // The old table must not hold rows of other tables fast any more.
    ...source.constraints
      .filter((constraint) => constraint.type === 'f')
      .map((fk) => `alter table ${old} drop constraint ${identifier(fk.name)}`),
    ...source.incoming.flatMap((fk) => {
      const from = qualified(fk.schema, fk.table)
      const name = identifier(fk.name)
      const definition = fk.definition.replace(/ NOT VALID$/, '')
      return [
        `alter table ${from} drop constraint ${name}`,
        `alter table ${from} add constraint ${name} ${definition} not valid`,
      ]
    }),
    ...source.triggers.flatMap((trigger) => triggerSql(trigger, table)),
    // Default privileges may have given the new table what the old one did not give.
    `do $revoke$ declare r text; begin
       for r in select distinct case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end
                  from pg_class c, aclexplode(c.relacl) g where c.oid = ${literal(table)}::regclass and g.grantee <> c.relowner
       loop execute 'revoke all on ' || ${literal(table)} || ' from ' || r; end loop; end $revoke$`,
    ...source.grants.map((grant) => grantSql(grant, table)),
    ...source.sequenceGrants.map(
      ({ privilege, sequence, grantee, grantable }) =>
        `grant ${privilege} on sequence ${sequence} to ${grantee}${grantable ? ' with grant option' : ''}`,
    ),
    ...source.policies.map((rowPolicy) => policySql(rowPolicy, table)),
    ...(source.row.row_security ? [`alter table ${table} enable row level security`] : []),
    ...(source.row.force_row_security ? [`alter table ${table} force row level security`] : []),
    ...(source.row.replica_identity === 'f' ? [`alter table ${table} replica identity full`] : []),
    ...(source.row.replica_identity === 'n' ? [`alter table ${table} replica identity nothing`] : []),
    ...(source.row.comment === null ? [] : [`comment on table ${table} is ${literal(source.row.comment)}`]),
    ...source.statistics.flatMap(statisticsSql),
    ...source.comments,
    ...source.publications.flatMap((publication) => [
      `alter publication ${identifier(publication.name)} drop table ${old}`,
      `alter publication ${identifier(publication.name)} add table ${table}`,
    ]),
  ]
}

function renamedIndexes(source: SourceTable): readonly string[] {
  return source.indexes
    .filter((index) => index.valid)
    .flatMap((index) => [
      `alter index ${qualified(source.schema, index.name)} rename to ${identifier(oldIndexName(index.name))}`,
      `alter index ${qualified(source.schema, newIndexName(index.name))} rename to ${identifier(index.name)}`,
    ])
}

/** A serial column keeps its sequence; an identity column has a new one, which goes on where the old one stopped. */
function sequences(source: SourceTable, table: string): readonly string[] {
  return source.columns.flatMap((column) => {
    if (column.sequence === null || column.sequence_name === null) return []
    if (!column.identity) return [`alter sequence ${column.sequence} owned by ${table}.${identifier(column.name)}`]
    const next = `pg_get_serial_sequence(${literal(table)}, ${literal(column.name)})`
    const oldName = fitName(column.sequence_name, '_sw_old')
    return [
      `select setval(${next}, s.last_value, s.is_called) from ${column.sequence} s`,
      `alter sequence ${column.sequence} rename to ${identifier(oldName)}`,
      // The server chose the new one's name.
      `do $rename$ begin execute format('alter sequence %s rename to %I', ${next}, ${literal(column.sequence_name)}); end $rename$`,
    ]
  })
}

function statisticsSql({ schema, name, definition, comment }: StatisticsRow): readonly string[] {
  const own = qualified(schema, name)
  return [
    `alter statistics ${own} rename to ${identifier(fitName(name, '_sw_old'))}`,
    definition,
    ...(comment === null ? [] : [`comment on statistics ${own} is ${literal(comment)}`]),
  ]
}

function triggerSql(trigger: TriggerRow, table: string): readonly string[] {
  const word = enableWords[trigger.enabled]
  return [trigger.definition, ...(word ? [`alter table ${table} ${word} ${identifier(trigger.name)}`] : [])]
}

function grantSql(grant: GrantRow, table: string): string {
  const column = grant.column === null ? '' : ` (${identifier(grant.column)})`
  return `grant ${grant.privilege}${column} on ${table} to ${grant.grantee}${grant.grantable ? ' with grant option' : ''}`
}

function policySql(policy: PolicyRow, table: string): string {
  const using = policy.using === null ? '' : ` using (${policy.using})`
  const check = policy.check === null ? '' : ` with check (${policy.check})`
  const kind = policy.permissive ? 'permissive' : 'restrictive'
  return `create policy ${identifier(policy.name)} on ${table} as ${kind} for ${commandWords[policy.command]} to ${policy.roles.join(', ')}${using}${check}`
}
