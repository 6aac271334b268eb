import type { FleetConnection } from '@shardwright/core'
import { ViewError } from '../errors/view-error.ts'
import { inTransaction } from '../sql/in-transaction.ts'
import { noteRefreshed, type Refreshed, readRegistry } from '../state/registry.ts'
import { moveHorizon } from './frozen-before.ts'
import type { Rollup } from './rollup.ts'
import { bucketsSql, nextBucketSql, sourceOf, summarySql, tableOf } from './rollup-sql.ts'

export interface RefreshedRollup extends Refreshed {
  readonly buckets: number
  /** Buckets that changed after their raw partition had gone; they keep what they had. */
  readonly frozenBuckets: number
}

interface Range {
  readonly lo: string
  readonly hi: string
}

/**
 * Sums up again the buckets that changed. One snapshot sees the notes of changes and the rows: whoever commits later
 * leaves a note for the next refresh. The caller holds the rollup's lock.
 */
export async function refreshRollup(connection: FleetConnection, rollup: Rollup): Promise<RefreshedRollup> {
  const known = (await readRegistry(connection)).some(
    (row) => row.schema_name === rollup.schema && row.name === rollup.name,
  )
  if (!known) throw notInstalled(connection, rollup)
  return await inTransaction(
    connection,
    async () => {
      await connection.script(
        `set local statement_timeout to ${rollup.budgetMs}; set local timezone to 'UTC'; set local datestyle to 'ISO, YMD'`,
      )
      // Before the snapshot: a partition is detached either before it, and then seen as gone, or after our commit.
      await connection.script(`lock table ${sourceOf(rollup)} in access share mode`)
      await moveHorizon(connection, rollup)
      const { ranges, buckets } = await takeChanges(connection, rollup)
      for (const range of ranges) await sumUp(connection, rollup, range)
      const frozenBuckets = await countFrozen(connection, rollup)
      const noted = await noteRefreshed(connection, rollup)
      if (!noted) throw notInstalled(connection, rollup)
      return { ...noted, buckets, frozenBuckets }
    },
    'begin isolation level repeatable read',
  )
}

/** Removes the notes of changes that this snapshot sees, and gives their buckets as ranges without gaps. */
async function takeChanges(
  connection: FleetConnection,
  rollup: Rollup,
): Promise<{ readonly ranges: readonly Range[]; readonly buckets: number }> {
  const { rows } = await connection.query<Range>(
    `with taken as (
       delete from shardwright.rollup_changes c using shardwright.views v
        where c.schema_name = $1 and c.rollup = $2 and v.schema_name = $1 and v.name = $2
          and c.bucket >= coalesce(v.frozen_before, '-infinity')
       returning c.bucket
     )
     select bucket::text as lo, (${nextBucketSql(rollup, 'bucket')})::text as hi
       from (select distinct bucket from taken) t order by bucket`,
    [rollup.schema, rollup.name],
  )
  const ranges: { lo: string; hi: string }[] = []
  for (const { lo, hi } of rows) {
    const last = ranges.at(-1)
    if (last?.hi === lo) last.hi = hi
    else ranges.push({ lo, hi })
  }
  return { ranges, buckets: rows.length }
}

async function sumUp(connection: FleetConnection, rollup: Rollup, range: Range): Promise<void> {
  await connection.query(`delete from ${tableOf(rollup)} where bucket >= $1 and bucket < $2`, [range.lo, range.hi])
  await connection.query(`insert into ${tableOf(rollup)} ${summarySql(rollup, bucketsSql(rollup, range))}`)
}

async function countFrozen(connection: FleetConnection, rollup: Rollup): Promise<number> {
  const { rows } = await connection.query<{ frozen: number }>(
    'select count(distinct bucket)::int as frozen from shardwright.rollup_changes where schema_name = $1 and rollup = $2',
    [rollup.schema, rollup.name],
  )
  return rows[0]?.frozen ?? 0
}

function notInstalled(connection: FleetConnection, rollup: Rollup): ViewError {
  return new ViewError({
    code: 'VIEW_NOT_INSTALLED',
    message: `The rollup ${rollup.schema}.${rollup.name} is not installed on the shard ${connection.shardId}.`,
    details: { rollup: rollup.name, shard: connection.shardId },
  })
}
