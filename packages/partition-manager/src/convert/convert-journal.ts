import { createOwnSchema } from '@shardwright/core'
import type { MaintenanceSession } from '../apply/session.ts'
import type { PartitionPolicy } from '../policy/policy.ts'

export type ConvertPhase = 'copying' | 'swapped'

/** How far the conversion of one table has come. */
export interface Conversion {
  readonly sourceOid: string
  readonly phase: ConvertPhase
  /** The last primary key copied, its columns as texts; `undefined` before the first batch. */
  readonly lastKey: readonly string[] | undefined
  /** The batches are through: only changes are left to copy. */
  readonly copied: boolean
  readonly rows: bigint
  /** Foreign keys to validate after the swap: `[schema, table, constraint]`. */
  readonly toValidate: readonly (readonly [string, string, string])[]
}

const createTable = `
select pg_advisory_xact_lock(hashtextextended('shardwright.partition_job', 7));
${createOwnSchema};
create table if not exists shardwright.partition_conversion (
  table_schema text not null,
  table_name text not null,
  source_oid oid not null,
  phase text not null check (phase in ('copying', 'swapped')),
  last_key jsonb,
  copied boolean not null default false,
  row_count bigint not null default 0,
  to_validate jsonb not null default '[]',
  started_at timestamptz not null default clock_timestamp(),
  primary key (table_schema, table_name)
)`

export async function ensureConversions(session: MaintenanceSession): Promise<void> {
  if (await hasConversions(session)) return
  await session.transaction('create the journal of conversions', () => session.script([createTable]))
}

async function hasConversions(session: MaintenanceSession): Promise<boolean> {
  const { rows } = await session.query<{ there: boolean }>(
    "select to_regclass('shardwright.partition_conversion') is not null as there",
  )
  return rows[0]?.there === true
}

interface ConversionRow {
  readonly source_oid: string
  readonly phase: ConvertPhase
  readonly last_key: readonly string[] | null
  readonly copied: boolean
  readonly row_count: string
  readonly to_validate: readonly (readonly [string, string, string])[]
}

export async function readConversion(
  session: MaintenanceSession,
  policy: PartitionPolicy,
): Promise<Conversion | undefined> {
  if (!(await hasConversions(session))) return undefined
  const { rows } = await session.query<ConversionRow>(
    `select source_oid::text as source_oid, phase, last_key, copied, row_count::text as row_count, to_validate
       from shardwright.partition_conversion where table_schema = $1 and table_name = $2`,
    [policy.schema, policy.table],
  )
  const row = rows[0]
  if (!row) return undefined
  return Object.freeze({
    sourceOid: row.source_oid,
    phase: row.phase,
    lastKey: row.last_key ?? undefined,
    copied: row.copied,
    rows: BigInt(row.row_count),
    toValidate: row.to_validate,
  })
}

export async function beginConversion(
  session: MaintenanceSession,
  policy: PartitionPolicy,
  sourceOid: string,
): Promise<void> {
  await session.query(
    `insert into shardwright.partition_conversion (table_schema, table_name, source_oid, phase)
     values ($1, $2, $3::oid, 'copying')`,
    [policy.schema, policy.table, sourceOid],
  )
}

export async function noteBatch(
  session: MaintenanceSession,
  policy: PartitionPolicy,
  batch: { readonly lastKey: readonly string[] | undefined; readonly copied: boolean; readonly rows: bigint },
): Promise<void> {
  await session.query(
    `update shardwright.partition_conversion
        set last_key = coalesce($3::jsonb, last_key), copied = $4, row_count = row_count + $5::int8
      where table_schema = $1 and table_name = $2`,
    [
      policy.schema,
      policy.table,
      batch.lastKey === undefined ? null : JSON.stringify(batch.lastKey),
      batch.copied,
      String(batch.rows),
    ],
  )
}

export async function noteSwap(
  session: MaintenanceSession,
  policy: PartitionPolicy,
  toValidate: Conversion['toValidate'],
): Promise<void> {
  await session.query(
    `update shardwright.partition_conversion set phase = 'swapped', to_validate = $3::jsonb
      where table_schema = $1 and table_name = $2`,
    [policy.schema, policy.table, JSON.stringify(toValidate)],
  )
}

export async function endConversion(session: MaintenanceSession, policy: PartitionPolicy): Promise<void> {
  await session.query('delete from shardwright.partition_conversion where table_schema = $1 and table_name = $2', [
    policy.schema,
    policy.table,
  ])
}
