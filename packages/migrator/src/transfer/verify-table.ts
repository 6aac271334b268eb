import type { FleetShard } from '@shardwright/core'
import { TransferError } from '../errors/transfer-error.ts'
import { beginPinned, openPinned, readOnly } from './pinned-connection.ts'
import type { TablePlan } from './table-plan.ts'

/** Count and order-free checksum of a table's rows, over all its shards. */
export interface TableSum {
  readonly rows: bigint
  readonly checksum: bigint
}

/** Compares both ends. @throws TransferError TRANSFER_MISMATCH */
export async function verifyTable(
  plan: TablePlan,
  from: readonly FleetShard[],
  to: readonly FleetShard[],
  signal: AbortSignal,
): Promise<TableSum> {
  const source = await sumsOf(plan, from, signal)
  const target = await sumsOf(plan, to, signal)
  const expected = total(source)
  // Of a reference table every shard has all rows.
  const found = plan.placement.kind === 'reference' ? target : [total(target)]
  for (const sum of found) if (!same(sum, expected)) throw mismatch(plan, expected, sum)
  return expected
}

async function sumsOf(plan: TablePlan, shards: readonly FleetShard[], signal: AbortSignal): Promise<TableSum[]> {
  return await Promise.all(
    shards.map(async (shard) => {
      await using connection = await openPinned(shard, signal)
      await beginPinned(connection, readOnly)
      const { rows } = await connection.query<{ rows: string; checksum: string }>(
        `select count(*)::text as rows,
           coalesce(sum(hashtextextended(row(${plan.columns.join(', ')})::text, 0)::numeric), 0)::text as checksum
         from ${plan.name}`,
      )
      return { rows: BigInt(rows[0]?.rows ?? -1), checksum: BigInt(rows[0]?.checksum ?? 0) }
    }),
  )
}

function total(sums: readonly TableSum[]): TableSum {
  return sums.reduce((sum, own) => ({ rows: sum.rows + own.rows, checksum: sum.checksum + own.checksum }), {
    rows: 0n,
    checksum: 0n,
  })
}

function same(a: TableSum, b: TableSum): boolean {
  return a.rows === b.rows && a.checksum === b.checksum
}

function mismatch({ placement }: TablePlan, expected: TableSum, found: TableSum): TransferError {
  const how =
    expected.rows === found.rows
      ? `the same ${expected.rows} rows by count, but not by checksum`
      : `${found.rows} rows, and the source ${expected.rows}`
  return new TransferError({
    code: 'TRANSFER_MISMATCH',
    message: `The target's ${placement.name} has ${how}.`,
    hint: 'Somebody wrote to one end meanwhile, or before the run was taken up again: stop the writers and start over (restart).',
    details: { table: placement.name, expectedRows: expected.rows, foundRows: found.rows },
  })
}
