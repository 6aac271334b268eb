import type { PartitionPolicy } from '../policy/policy.ts'
import type { SourceTable } from './source-table.ts'

/** Every reason why the table cannot be converted as it is, in words that say what to change. */
export function refusalsOf(source: SourceTable, policy: PartitionPolicy): readonly string[] {
  const { row } = source
  if (row.relkind === 'p') return ['it is partitioned already']
  if (row.relkind !== 'r') return ['it is not a table']
  return [
    ...(row.persistence === 'p' ? [] : ['it is temporary or unlogged']),
    ...(source.distributed
      ? ['Citus distributes it: create the partitioned table beside it, INSERT ... SELECT, then swap the names']
      : []),
    ...(row.inherits ? ['it takes part in inheritance or is a partition itself'] : []),
    ...keyRefusals(source, policy),
    ...uniqueRefusals(source, policy),
    ...attachedRefusals(source),
  ]
}

function keyRefusals(source: SourceTable, policy: PartitionPolicy): readonly string[] {
  const key = source.columns.find((column) => column.name === policy.by)
  if (!key) return [`it has no column ${policy.by}`]
  const reasons: string[] = []
  if (!policy.key.types.includes(key.type_name)) {
    reasons.push(`${policy.by} is ${key.type_name}, the policy says ${policy.key.types.join(' or ')}`)
  }
  if (!key.not_null) reasons.push(`${policy.by} can be null: set it NOT NULL`)
  return reasons
}

/** PostgreSQL keeps a unique constraint per partition, so it must contain the partition key. */
function uniqueRefusals(source: SourceTable, policy: PartitionPolicy): readonly string[] {
  const reasons: string[] = []
  if (source.primaryKey.length === 0) reasons.push('it has no primary key, by which rows could be told apart')
  for (const index of source.indexes) {
    if (index.constraint_type === 'x') reasons.push(`exclusion constraint ${index.name} cannot be carried over`)
    if (!index.unique || index.columns.includes(policy.by)) continue
    const what = index.constraint_type === 'p' ? 'primary key' : 'unique index'
    const columns = index.columns.map((column) => column ?? 'an expression').join(', ')
    reasons.push(`${what} ${index.name} (${columns}) lacks the partition key ${policy.by}`)
  }
  return reasons
}

function attachedRefusals(source: SourceTable): readonly string[] {
  return [
    ...source.dependents.map((name) => `${name} depends on it and would keep reading the old table`),
    ...source.constraints.filter((c) => c.type === 'c' && c.no_inherit).map((c) => `check ${c.name} is NO INHERIT`),
    // On a partitioned table a constraint holds for every row.
    ...source.constraints
      .filter((c) => !c.valid)
      .map((c) => `${c.type === 'f' ? 'foreign key' : 'check'} ${c.name} is NOT VALID: validate it first`),
    ...source.incoming.filter((fk) => fk.to_itself).map((fk) => `foreign key ${fk.name} references the table itself`),
    ...source.incoming
      .filter((fk) => fk.relkind === 'p')
      .map((fk) => `foreign key ${fk.name} comes from the partitioned table ${fk.schema}.${fk.table}`),
    ...source.triggers
      .filter((trigger) => trigger.row_with_transition)
      .map((trigger) => `row trigger ${trigger.name} uses transition tables, which partitions do not have`),
    ...source.publications
      .filter((publication) => publication.filtered)
      .map((publication) => `publication ${publication.name} filters its rows or columns`),
  ]
}

/** What will be different, though nothing is lost. */
export function notesOf(source: SourceTable): readonly string[] {
  const notes: string[] = []
  if (source.row.replica_identity === 'i') notes.push('REPLICA IDENTITY USING INDEX becomes the default identity')
  for (const index of source.indexes) if (!index.valid) notes.push(`invalid index ${index.name} is not carried over`)
  return notes
}
