import type { FleetConnection } from '@shardwright/core'
import { distributionOf } from '../inspect/distribution.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import {
  type ColumnRow,
  type ConstraintRow,
  columnQuery,
  commentQuery,
  constraintQuery,
  dependentQuery,
  type GrantRow,
  grantQuery,
  type IncomingRow,
  type IndexRow,
  incomingQuery,
  indexQuery,
  type PolicyRow,
  type PublicationRow,
  policyQuery,
  publicationQuery,
  type SequenceGrantRow,
  type SourceRow,
  type StatisticsRow,
  sequenceGrantQuery,
  sourceQuery,
  statisticsQuery,
  type TriggerRow,
  triggerQuery,
} from './source-query.ts'

/** The table to convert, with all that has to come along. */
export interface SourceTable {
  readonly schema: string
  readonly name: string
  readonly row: SourceRow
  /** Citus manages the table. */
  readonly distributed: boolean
  readonly columns: readonly ColumnRow[]
  readonly indexes: readonly IndexRow[]
  readonly constraints: readonly ConstraintRow[]
  readonly incoming: readonly IncomingRow[]
  readonly triggers: readonly TriggerRow[]
  readonly policies: readonly PolicyRow[]
  readonly grants: readonly GrantRow[]
  readonly publications: readonly PublicationRow[]
  readonly sequenceGrants: readonly SequenceGrantRow[]
  readonly statistics: readonly StatisticsRow[]
  /** Statements. */
  readonly comments: readonly string[]
  readonly dependents: readonly string[]
  /** Columns of the primary key; empty without one. */
  readonly primaryKey: readonly ColumnRow[]
}

/** `undefined` when there is no such relation. The session must be pinned: definitions come out qualified. */
export async function readSource(
  connection: Pick<FleetConnection, 'query'>,
  policy: Pick<PartitionPolicy, 'schema' | 'table'>,
): Promise<SourceTable | undefined> {
  const row = (await connection.query<SourceRow>(sourceQuery, [policy.schema, policy.table])).rows[0]
  if (!row) return undefined
  const read = async <R>(sql: string) => (await connection.query<R>(sql, [row.oid])).rows
  const columns = await read<ColumnRow>(columnQuery)
  const indexes = await read<IndexRow>(indexQuery)
  const primary = indexes.find((index) => index.constraint_type === 'p')
  return {
    schema: policy.schema,
    name: policy.table,
    row,
    distributed: row.has_citus && (await distributionOf(connection, row.oid)) !== undefined,
    columns,
    indexes,
    constraints: await read<ConstraintRow>(constraintQuery),
    incoming: await read<IncomingRow>(incomingQuery),
    triggers: await read<TriggerRow>(triggerQuery),
    policies: await read<PolicyRow>(policyQuery),
    grants: await read<GrantRow>(grantQuery),
    publications: await read<PublicationRow>(publicationQuery),
    sequenceGrants: await read<SequenceGrantRow>(sequenceGrantQuery),
    statistics: await read<StatisticsRow>(statisticsQuery),
    comments: (await read<{ sql: string }>(commentQuery)).map((comment) => comment.sql),
    dependents: (await read<{ name: string }>(dependentQuery)).map((dependent) => dependent.name),
    primaryKey: (primary?.columns ?? []).flatMap((name) => columns.filter((column) => column.name === name)),
  }
}
