import type { FleetConnection } from '@shardwright/core'
import type { Position } from '../calendar/position.ts'
import { wantedWindow } from '../plan/wanted.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier, literal, qualified } from '../sql/identifier.ts'
import type { DefaultPartitionState, DefaultRows, PartitionState } from './catalog-state.ts'
import type { PartitionRow } from './partition-query.ts'

interface TotalsRow {
  readonly rows: string
  readonly null_keys: string
  readonly min: string | null
  readonly max: string | null
}

/** Counts what waits in the DEFAULT partition, by the periods that the policy would create. */
export async function inspectDefault(
  connection: FleetConnection,
  row: PartitionRow,
  partitions: readonly PartitionState[],
  policy: PartitionPolicy,
  now: Position,
): Promise<DefaultPartitionState> {
  const table = qualified(row.schema, row.name)
  const key = identifier(policy.by)
  const { nothingUpTo, cast } = policy.key
  const inTime = nothingUpTo === undefined ? `${key} is not null` : `${key} > ${literal(nothingUpTo)}::${cast}`
  // ORDER BY and LIMIT rather than min(): uuid has no min() before PostgreSQL 18.
  // As joined subqueries, because Citus takes none in the target list.
  const totals = await connection.query<TotalsRow>(`
    select c.rows, c.null_keys, a.edge::text as min, z.edge::text as max
      from (select count(*)::text as rows, count(*) filter (where ${key} is null)::text as null_keys from ${table}) c
      left join (select ${key} as edge from ${table} where ${inTime} order by ${key} limit 1) a on true
      left join (select ${key} as edge from ${table} where ${key} is not null order by ${key} desc limit 1) z on true`)
  const total = totals.rows[0] as TotalsRow
  const min = total.min === null ? undefined : policy.key.parse(total.min, 'lower')
  const max = total.max === null ? undefined : policy.key.parse(total.max, 'upper')
  const rows = BigInt(total.rows)
  const periods = rows === 0n ? [] : await countByPeriod(connection, table, policy, partitions, now, min)
  return Object.freeze({
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    rows,
    nullKeys: BigInt(total.null_keys),
    min,
    max,
    periods,
    outside: rows - periods.reduce((sum, period) => sum + period.rows, 0n),
  })
}

async function countByPeriod(
  connection: FleetConnection,
  table: string,
  policy: PartitionPolicy,
  partitions: readonly PartitionState[],
  now: Position,
  min: Position | undefined,
): Promise<readonly DefaultRows[]> {
  const window = wantedWindow({ partitions, policy, now, defaultMin: min }).periods
  const last = window.at(-1)
  if (!last) return []
  const edges = [...window.map((period) => period.from), last.to]
  const array = edges.map((edge) => literal(policy.key.text(edge))).join(', ')
  const counts = await connection.query<{ bucket: number; rows: string }>(`
    select width_bucket(${identifier(policy.by)}, array[${array}]::${policy.key.cast}[]) as bucket, count(*)::text as rows
      from ${table}
     where ${identifier(policy.by)} is not null
     group by 1`)
  return counts.rows
    .filter(({ bucket }) => bucket > 0 && bucket < edges.length)
    .sort((a, b) => a.bucket - b.bucket)
    .map(({ bucket, rows }) =>
      Object.freeze({
        from: edges[bucket - 1] as Position,
        to: edges[bucket] as Position,
        rows: BigInt(rows),
      }),
    )
}
