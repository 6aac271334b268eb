import type { CatalogState } from '../inspect/catalog-state.ts'
import type { NamedTable } from '../plan/action.ts'
import { forValues } from '../plan/range-text.ts'
import type { Range } from '../plan/wanted.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier, literal, qualified } from './identifier.ts'

export function parentName(state: CatalogState): string {
  return qualified(state.parent.schema, state.parent.name)
}

/**
 * A table like the parent, to be attached later. Attaching takes SHARE UPDATE EXCLUSIVE on the parent, where
 * CREATE TABLE ... PARTITION OF would take ACCESS EXCLUSIVE and stop every reader; indexes, foreign keys, triggers and
 * identity come with the attach. A partitioned table has no storage parameters: those of its newest partition are taken.
 */
export function createTableSql(state: CatalogState, name: string): readonly string[] {
  const child = qualified(state.parent.schema, name)
  const tablespace = state.parent.tablespace ? ` tablespace ${identifier(state.parent.tablespace)}` : ''
  const newest = state.partitions.findLast((p) => !p.partitioned && !p.detachPending && p.accessMethod === 'heap')
  const storage = newest?.options ? ` with (${newest.options})` : ''
  const including = ['defaults', 'constraints', 'generated', 'storage', 'compression']
  const sql = [
    `create table ${child} (like ${parentName(state)} ${including.map((what) => `including ${what}`).join(' ')})${storage}${tablespace}`,
  ]
  if (state.parent.columnSettings) sql.push(`alter table ${child} ${state.parent.columnSettings}`)
  if (state.parent.replicaIdentity === 'f') sql.push(`alter table ${child} replica identity full`)
  if (state.parent.replicaIdentity === 'n') sql.push(`alter table ${child} replica identity nothing`)
  if (!state.parent.ownedByUs) sql.push(`alter table ${child} owner to ${identifier(state.parent.owner)}`)
  const { distributionColumn } = state.parent
  if (distributionColumn !== undefined) {
    const parent = literal(parentName(state))
    sql.push(
      `select create_distributed_table(${literal(child)}, ${literal(distributionColumn)}, colocate_with => ${parent})`,
    )
  }
  return sql
}

export function attachSql(state: CatalogState, policy: PartitionPolicy, name: string, range: Range): string {
  const child = qualified(state.parent.schema, name)
  return `alter table ${parentName(state)} attach partition ${child} ${forValues(policy.key, range)}`
}

export function createPartitionSql(
  state: CatalogState,
  policy: PartitionPolicy,
  name: string,
  range: Range,
): readonly string[] {
  if (state.parent.distributed) {
    // Citus distributes PARTITION OF as one statement; a local table attached to a distributed one is converted first.
    const child = qualified(state.parent.schema, name)
    return [`create table ${child} partition of ${parentName(state)} ${forValues(policy.key, range)}`]
  }
  return ['begin', ...createTableSql(state, name), attachSql(state, policy, name, range), 'commit']
}

export function detachSql(state: CatalogState, partition: NamedTable, concurrently: boolean): string {
  const child = qualified(partition.schema, partition.name)
  return `alter table ${parentName(state)} detach partition ${child}${concurrently ? ' concurrently' : ''}`
}

export function finalizeSql(state: CatalogState, partition: NamedTable): string {
  return `alter table ${parentName(state)} detach partition ${qualified(partition.schema, partition.name)} finalize`
}
