import { type FleetConnection, inspectCitusTables, isCitus, type Schema } from '@shardwright/core'
import { TransferError } from '../errors/transfer-error.ts'
import { openPinned } from './pinned-connection.ts'
import type { TablePlan } from './table-plan.ts'
import { shardsOf } from './table-shards.ts'
import type { TransferSide } from './transfer-options.ts'
import type { CopiedUnit } from './transfer-state.ts'

/** @throws TransferError TRANSFER_SAME_DATABASE */
export function assertApart(source: TransferSide, target: TransferSide): void {
  const addresses = new Set(source.fleet.shards.map((shard) => shard.address))
  const shared = target.fleet.shards.find((shard) => addresses.has(shard.address))
  if (!shared) return
  throw new TransferError({
    code: 'TRANSFER_SAME_DATABASE',
    message: `${shared.address} is at both ends of the transfer.`,
    hint: 'Give the target databases of its own.',
    details: { address: shared.address },
  })
}

/** On Citus every table has to be what the schema says. @throws TransferError TRANSFER_TABLES_DIFFER */
export async function assertPlaced(schema: Schema, side: TransferSide, connection: FleetConnection): Promise<void> {
  if (!isCitus(side.topology)) return
  const [first, ...others] = await inspectCitusTables(connection, schema)
  if (!first) return
  const more = others.length > 0 ? `, and ${others.length} more differ` : ''
  throw new TransferError({
    code: 'TRANSFER_TABLES_DIFFER',
    message: `On Citus ${first.table} should be ${first.expected}, and is ${first.found}${more}.`,
    hint: 'Run the migrations there; inspectCitusTables (`shardwright citus check`) names every difference.',
    details: { tables: [first, ...others].map((difference) => difference.table) },
  })
}

/** Tables of which nothing is known to be copied must be empty. @throws TransferError TRANSFER_TARGET_NOT_EMPTY */
export async function assertEmpty(
  side: TransferSide,
  plans: readonly TablePlan[],
  done: ReadonlyMap<string, readonly CopiedUnit[]>,
  signal: AbortSignal,
): Promise<void> {
  for (const shard of side.fleet.shards) {
    const begun = new Set(done.get(shard.id)?.map((unit) => unit.table))
    const fresh = plans.filter(
      ({ placement }) =>
        placement.kind !== 'reference' && shardsOf(side, placement).includes(shard) && !begun.has(placement.name),
    )
    await using connection = await openPinned(shard, signal)
    for (const { name, placement } of fresh) {
      const { rows } = await connection.query(`select 1 from ${name} limit 1`)
      if (rows.length > 0) throw notEmpty(placement.name, shard.id)
    }
  }
}

function notEmpty(table: string, shard: string): TransferError {
  return new TransferError({
    code: 'TRANSFER_TARGET_NOT_EMPTY',
    message: `${table} on ${shard} has rows, and no transfer from this source has brought them.`,
    hint: 'Take an empty target, or let it be emptied (restart).',
    details: { table, shard },
  })
}
