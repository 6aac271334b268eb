import type { FleetConnection } from '@shardwright/core'
import type { Period } from '../calendar/calendar.ts'
import { greatest, least } from '../calendar/position.ts'
import { PartitionError } from '../errors/partition-error.ts'
import { parseBound } from '../inspect/bound.ts'
import { type PartitionRow, partitionQuery } from '../inspect/partition-query.ts'
import { Coverage } from '../plan/coverage.ts'
import { forValues } from '../plan/range-text.ts'
import { keyNow } from '../plan/wanted.ts'
import { partitionName } from '../policy/naming.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import type { ConvertNames } from './convert-names.ts'
import type { ConvertRun } from './convert-run.ts'
import { shadowPartitionSql } from './shadow-sql.ts'

const maxPartitions = 2000

/** The periods that hold the rows of a plain table, up to the last one ahead. */
export async function periodsOfRows(
  connection: Pick<FleetConnection, 'query'>,
  table: string,
  policy: PartitionPolicy,
): Promise<readonly Period[]> {
  const key = identifier(policy.by)
  const { rows } = await connection.query<{ min: string | null; max: string | null; now: string }>(`
    select (select ${key} from ${table} order by ${key} limit 1)::text as min,
           (select ${key} from ${table} order by ${key} desc limit 1)::text as max,
           floor(extract(epoch from clock_timestamp()) * 1000000)::int8::text as now`)
  const row = rows[0] as { min: string | null; max: string | null; now: string }
  const now = keyNow(policy, BigInt(row.now))
  const first = row.min === null ? now : edge(policy, row.min, 'lower')
  const last = row.max === null ? now : edge(policy, row.max, 'upper')
  return between(policy, least([first, now]), greatest([last, now]))
}

function edge(policy: PartitionPolicy, text: string, side: 'lower' | 'upper'): bigint {
  const position = policy.key.parse(text, side)
  if (position !== undefined) return position
  throw new PartitionError({
    code: 'CONVERT_REFUSED',
    message: `The ${side === 'lower' ? 'least' : 'greatest'} ${policy.by} is ${text}, which no partition can hold.`,
  })
}

function between(policy: PartitionPolicy, first: bigint, last: bigint): readonly Period[] {
  const periods: Period[] = []
  let ahead = 0
  for (let period = policy.calendar.periodAt(first); ; period = policy.calendar.after(period)) {
    if (period.from > last) ahead++
    if (ahead > policy.premake) return periods
    periods.push(period)
    if (periods.length <= maxPartitions) continue
    throw new PartitionError({
      code: 'CONVERT_REFUSED',
      message: `The rows of ${policy.table} spread over more than ${maxPartitions} periods; take a wider interval.`,
    })
  }
}

/** Names that the conversion will need and that belong to something else; one reason each. */
export async function takenNames(
  connection: Pick<FleetConnection, 'query'>,
  policy: PartitionPolicy,
  names: ConvertNames,
): Promise<readonly string[]> {
  const periods = await periodsOfRows(connection, names.source, policy)
  const wanted = [names.shadowName, names.oldName, ...periods.map((period) => partitionName(policy, period))]
  const { rows } = await connection.query<{ name: string }>(
    `select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relname = any ($2::text[]) order by 1`,
    [policy.schema, wanted],
  )
  return rows.map((row) => `the name ${policy.schema}.${row.name} is taken`)
}

/** Gives the shadow table every partition that the rows need by now. */
export async function ensureShadowPartitions(run: ConvertRun): Promise<void> {
  const { session, policy, names } = run
  const periods = await periodsOfRows(session, names.source, policy)
  const { rows } = await session.query<PartitionRow>(partitionQuery, [await oidOf(run)])
  const covered = new Coverage(rows.map((row) => parseBound(row.bound, policy.key, row.name)))
  for (const period of periods) {
    if (covered.uncovered(period).length === 0) continue
    const name = partitionName(policy, period)
    session.step('create', { partition: name })
    const child = qualified(policy.schema, name)
    const values = forValues(policy.key, { lower: period.from, upper: period.to })
    const sql = shadowPartitionSql(run.source, names, child, values)
    await session.withShortLocks(`create ${name}`, () => session.script(['begin', ...sql, 'commit']))
  }
}

async function oidOf({ session, names }: ConvertRun): Promise<string> {
  const { rows } = await session.query<{ oid: string }>('select $1::regclass::oid::text as oid', [names.shadow])
  return (rows[0] as { oid: string }).oid
}
