import type { FleetConnection } from '@shardwright/core'
import { PartitionError } from '../errors/partition-error.ts'
import { sessionSettings } from '../inspect/session-settings.ts'
import { forValues } from '../plan/range-text.ts'
import { partitionName } from '../policy/naming.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { qualified } from '../sql/identifier.ts'
import { type ConvertNames, convertNames } from './convert-names.ts'
import { notesOf, refusalsOf } from './refusals.ts'
import { periodsOfRows, takenNames } from './shadow-partitions.ts'
import { captureSql, captureTriggerSql, shadowPartitionSql, shadowSql } from './shadow-sql.ts'
import { readSource, type SourceTable } from './source-table.ts'
import { swapSql } from './swap-sql.ts'

/** What a conversion would do, or why it cannot. */
export interface ConvertPlan {
  readonly shard: string
  readonly table: string
  /** Empty when the table can be converted. */
  readonly refusals: readonly string[]
  readonly notes: readonly string[]
  readonly estimatedRows: number
  readonly partitions: number
  /** The statements, whole; the copy in between is described in comments. */
  readonly sql: readonly string[]
}

/**
 * Plans the conversion of a plain table to a partitioned one; changes nothing but the connection's settings.
 * @throws PartitionError PARTITION_TABLE_NOT_FOUND, CONVERT_REFUSED when the rows spread over too many periods
 * @example
 * const plan = await planConvert(connection, transactions)
 * if (plan.refusals.length > 0) console.log(plan.refusals.join('\n'))
 */
export async function planConvert(connection: FleetConnection, policy: PartitionPolicy): Promise<ConvertPlan> {
  await connection.script(sessionSettings)
  const source = await readSource(connection, policy)
  const table = `${policy.schema}.${policy.table}`
  if (!source) {
    throw new PartitionError({
      code: 'PARTITION_TABLE_NOT_FOUND',
      message: `Table ${table} does not exist on shard ${connection.shardId}.`,
      details: { table, shard: connection.shardId },
    })
  }
  const names = convertNames(policy.schema, policy.table, source.row.oid)
  const own = refusalsOf(source, policy)
  // Without a usable key its rows cannot be read by period.
  const refusals = own.length > 0 ? own : await takenNames(connection, policy, names)
  const base = { shard: connection.shardId, table, refusals, notes: notesOf(source) }
  if (refusals.length > 0) return Object.freeze({ ...base, estimatedRows: 0, partitions: 0, sql: [] })
  const partitions = await partitionSql(connection, policy, source, names)
  return Object.freeze({
    ...base,
    estimatedRows: source.row.estimated_rows,
    partitions: partitions.length,
    sql: sqlOf(source, policy, names, partitions.flat()),
  })
}

async function partitionSql(
  connection: FleetConnection,
  policy: PartitionPolicy,
  source: SourceTable,
  names: ConvertNames,
): Promise<readonly (readonly string[])[]> {
  const periods = await periodsOfRows(connection, names.source, policy)
  return periods.map((period) => {
    const child = qualified(policy.schema, partitionName(policy, period))
    const values = forValues(policy.key, { lower: period.from, upper: period.to })
    return shadowPartitionSql(source, names, child, values)
  })
}

function sqlOf(
  source: SourceTable,
  policy: PartitionPolicy,
  names: ConvertNames,
  partitions: readonly string[],
): readonly string[] {
  return [
    ...shadowSql(source, policy, names),
    ...captureSql(source, names),
    ...partitions,
    ...captureTriggerSql(names),
    `-- copy by primary key in batches: insert into ${names.shadow} select ... on conflict do nothing`,
    `-- copy the rows noted in ${names.log} until few are left`,
    '-- compare counts and checksums of both tables in one snapshot',
    'begin',
    `lock table ${names.source} in access exclusive mode`,
    '-- copy the last noted rows',
    ...swapSql(source, policy, names),
    'commit',
  ]
}
