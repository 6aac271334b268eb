import { ShardwrightError } from '@shardwright/core'
import { TransferError } from '../errors/transfer-error.ts'
import { copyPartitions } from '../new-shard/copy-partitions.ts'
import { inParallel } from '../run/in-parallel.ts'
import { type CarriedSequence, carrySequences } from './carry-sequences.ts'
import { assertApart, assertEmpty, assertPlaced } from './check-sides.ts'
import { copyUnit } from './copy-unit.ts'
import { emptyTarget } from './empty-target.ts'
import { holdWrites } from './hold-writes.ts'
import { openAll, openPinned } from './pinned-connection.ts'
import { planTables, type TablePlan } from './table-plan.ts'
import { placeRows, shardsOf, sourceShardsOf } from './table-shards.ts'
import { type ResolvedTransferOptions, resolveTransferOptions, type TransferOptions } from './transfer-options.ts'
import { type CopiedUnit, prepareState, readState } from './transfer-state.ts'
import { type TableSum, verifyTable } from './verify-table.ts'

/** What was brought over, and found equal on both ends. */
export interface TransferReport {
  readonly tables: readonly TransferredTable[]
  readonly sequences: readonly CarriedSequence[]
  readonly durationMs: number
}

export interface TransferredTable {
  readonly table: string
  readonly rows: bigint
  /** Sum of the rows' 64-bit hashes, the same on both ends. */
  readonly checksum: bigint
  /** Rows written by this run; less than `rows` when it took up an earlier one. */
  readonly copied: bigint
}

/**
 * Brings all data of the schema from one topology to another: hash shards (either hash) to Citus, back, or to other shards.
 * Reference tables go first, then each family, parents before children; each is compared by count and checksum before the
 * next. Rows stream through this process. Run again after any failure: what a target shard has is not copied twice.
 * Traffic is switched by the caller afterwards, while still nobody writes.
 *
 * @throws TransferError TRANSFER_SAME_DATABASE, TRANSFER_TABLES_DIFFER, TRANSFER_TARGET_NOT_EMPTY, TRANSFER_SOURCE_BUSY,
 * TRANSFER_MISMATCH, TRANSFER_FAILED; ConnectionError SHARD_UNREACHABLE
 * @example
 * const report = await transferData({
 *   schema,
 *   source: { fleet: router.fleet, topology },
 *   target: { fleet: fleetOf(cluster, pg.Client), topology: cluster },
 * })
 */
export async function transferData(options: TransferOptions): Promise<TransferReport> {
  const resolved = resolveTransferOptions(options)
  const started = resolved.clock.monotonicMs()
  try {
    const report = await transfer(resolved)
    return Object.freeze({ ...report, durationMs: resolved.clock.monotonicMs() - started })
  } catch (error) {
    if (error instanceof ShardwrightError || resolved.signal.aborted) throw error
    throw failed('the transfer', error)
  }
}

async function transfer(options: ResolvedTransferOptions): Promise<Omit<TransferReport, 'durationMs'>> {
  const { source, target, signal, onProgress } = options
  assertApart(source, target)
  const stages = await prepare(options)
  const plans = stages.flat()
  await using _held = options.holdWrites ? await hold(options, plans) : nothingHeld
  const done = await readDone(options)
  await assertEmpty(target, plans, done, signal)
  const tables: TransferredTable[] = []
  for (const stage of stages) {
    const copied = new Map<TablePlan, bigint>()
    for (const plan of stage) copied.set(plan, await copyTable(options, plan, done))
    for (const plan of stage) {
      const sum = await verifyTable(
        plan,
        sourceShardsOf(source, plan.placement),
        shardsOf(target, plan.placement),
        signal,
      )
      onProgress({ step: 'verified', table: plan.placement.name, rows: sum.rows })
      tables.push(described(plan, sum, copied.get(plan) ?? 0n))
    }
  }
  const sequences = await carrySequences(source.fleet.shards, target.fleet.shards, signal)
  onProgress({ step: 'sequences' })
  return { tables: Object.freeze(tables), sequences: Object.freeze(sequences) }
}

const nothingHeld: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} }

/** Compares the tables of both ends, makes partitions and the state's table; empties the target where that is asked. */
async function prepare(options: ResolvedTransferOptions): Promise<readonly (readonly TablePlan[])[]> {
  const { schema, source, target, signal } = options
  await using from = await openAll(source.fleet.shards, signal)
  await using to = await openAll(target.fleet.shards, signal)
  await assertPlaced(schema, source, from.connections[0]!)
  await assertPlaced(schema, target, to.connections[0]!)
  const stages = await planTables(schema, from.connections, to.connections)
  for (const connection of to.connections) {
    await prepareState(connection)
    for (const model of from.connections) await copyPartitions(model, connection)
  }
  if (options.restart) await emptyTarget(options, stages.flat())
  return stages
}

async function hold(options: ResolvedTransferOptions, plans: readonly TablePlan[]): Promise<AsyncDisposable> {
  const { source, lockTimeoutMs, signal, onProgress } = options
  const shards = source.fleet.shards.map((shard) => ({
    shard,
    tables: plans.filter(({ placement }) => shardsOf(source, placement).includes(shard)).map((plan) => plan.name),
  }))
  const held = await holdWrites(shards, lockTimeoutMs, signal)
  onProgress({ step: 'holding' })
  return held
}

/** By target shard. */
type Done = ReadonlyMap<string, readonly CopiedUnit[]>

async function readDone({ source, target, signal }: ResolvedTransferOptions): Promise<Done> {
  const done = new Map<string, readonly CopiedUnit[]>()
  for (const shard of target.fleet.shards) {
    await using connection = await openPinned(shard, signal)
    done.set(shard.id, await readState(connection, source.topology.id))
  }
  return done
}

async function copyTable(options: ResolvedTransferOptions, plan: TablePlan, done: Done): Promise<bigint> {
  const { source, target, signal, onProgress } = options
  const table = plan.placement.name
  const targets = shardsOf(target, plan.placement)
  const place = placeRows(target, plan.placement, plan.keyType)
  const results = await inParallel(sourceShardsOf(source, plan.placement), options.concurrency, async (from) => {
    const isDone = (shard: string) => done.get(shard)?.some((unit) => unit.table === table && unit.shard === from.id)
    const to = target.fleet.shards.map((shard) => (targets.includes(shard) && !isDone(shard.id) ? shard : undefined))
    if (to.every((shard) => shard === undefined)) {
      onProgress({ step: 'skipped', table, shard: from.id, rows: 0n })
      return 0n
    }
    try {
      signal.throwIfAborted()
      const rows = await copyUnit({ plan, from, to, place, source: source.topology.id, signal })
      onProgress({ step: 'copied', table, shard: from.id, rows })
      return rows
    } catch (error) {
      return error instanceof ShardwrightError || signal.aborted
        ? { error }
        : { error: failed(`${table} of ${from.id}`, error) }
    }
  })
  const broken = results.find((result) => typeof result === 'object')
  if (broken) throw broken.error
  return (results as bigint[]).reduce((sum, rows) => sum + rows, 0n)
}

function described({ placement }: TablePlan, { rows, checksum }: TableSum, copied: bigint): TransferredTable {
  return Object.freeze({ table: placement.name, rows, checksum, copied })
}

function failed(what: string, cause: unknown): TransferError {
  return new TransferError({
    code: 'TRANSFER_FAILED',
    message: `Bringing over ${what} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    hint: 'Mend the cause and run it again: what is copied stays copied.',
    cause,
  })
}
