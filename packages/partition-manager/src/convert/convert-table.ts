import type { FleetShard } from '@shardwright/core'
import { busy } from '../apply/apply-plan.ts'
import { lockParent } from '../apply/parent-lock.ts'
import { MaintenanceSession } from '../apply/session.ts'
import { PartitionError } from '../errors/partition-error.ts'
import { checkViolation, uniqueViolation } from '../errors/sql-state.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import { applyChanges, pendingChanges } from './catch-up.ts'
import {
  beginConversion,
  type Conversion,
  endConversion,
  ensureConversions,
  readConversion,
} from './convert-journal.ts'
import { type ConvertNames, convertNames } from './convert-names.ts'
import { type ConvertOptions, type ResolvedConvertOptions, resolveConvertOptions } from './convert-options.ts'
import type { ConvertRun } from './convert-run.ts'
import { copyBatch } from './copy-batch.ts'
import { refusalsOf } from './refusals.ts'
import { ensureShadowPartitions, takenNames } from './shadow-partitions.ts'
import { captureSql, captureTriggerSql, dropCaptureSql, shadowSql } from './shadow-sql.ts'
import { readSource, type SourceTable } from './source-table.ts'
import { swapTables } from './swap-tables.ts'
import { verifyCopy } from './verify-copy.ts'

/** What a conversion did. */
export interface ConvertReport {
  readonly shard: string
  readonly table: string
  /** `already`: the table was partitioned before this call. */
  readonly outcome: 'converted' | 'already'
  /** Rows compared by checksum just before the swap. */
  readonly verifiedRows: bigint
  readonly copiedRows: bigint
  /** The old table's name, while it is kept. */
  readonly oldTable: string | undefined
}

/**
 * Converts a plain table into one partitioned by the policy while reads and writes go on: copies by primary key, notes
 * changes by a trigger, catches up, compares counts and checksums, and swaps under a short lock. Killed at any point, a
 * second call goes on. The old table stays as `<table>_sw_old` unless `dropOld`.
 * @throws PartitionError CONVERT_REFUSED with every reason, CONVERT_VERIFY_FAILED, PARTITION_BUSY
 * @example
 * await convertTable(shard, transactions, { batchRows: 2000, pauseMs: 20 })
 */
export async function convertTable(
  shard: FleetShard,
  policy: PartitionPolicy,
  options: ConvertOptions = {},
): Promise<ConvertReport> {
  const resolved = resolveConvertOptions(options)
  const table = `${policy.schema}.${policy.table}`
  await using session = await MaintenanceSession.open(shard, table, resolved)
  if (!(await lockParent(session, policy))) throw busy({ table, shard: shard.id })
  const conversion = await readConversion(session, policy)
  if (conversion?.phase === 'swapped') return await finish(session, policy, conversion, resolved, 0n)
  const source = await sourceOf(session, policy)
  if (!conversion && source.row.relkind === 'p') return report(session, policy, 'already', 0n, 0n, undefined)
  refuse(refusalsOf(source, policy), policy, session)
  const names = convertNames(policy.schema, policy.table, source.row.oid)
  if (!conversion) refuse(await takenNames(session, policy, names), policy, session)
  const run: ConvertRun = { session, policy, source, names, options: resolved }
  if (!conversion) await begin(run)
  await copyAll(run)
  const verified = await catchUpAndSwap(run)
  const swapped = (await readConversion(session, policy)) as Conversion
  return await finish(session, policy, swapped, resolved, verified)
}

async function sourceOf(session: MaintenanceSession, policy: PartitionPolicy): Promise<SourceTable> {
  const source = await readSource(session, policy)
  if (source) return source
  const table = `${policy.schema}.${policy.table}`
  throw new PartitionError({
    code: 'PARTITION_TABLE_NOT_FOUND',
    message: `Table ${table} does not exist on shard ${session.shard.id}.`,
    details: { table, shard: session.shard.id },
  })
}

function refuse(refusals: readonly string[], policy: PartitionPolicy, session: MaintenanceSession): void {
  if (refusals.length === 0) return
  const table = `${policy.schema}.${policy.table}`
  throw new PartitionError({
    code: 'CONVERT_REFUSED',
    message: `Table ${table} on shard ${session.shard.id} cannot be converted: ${refusals.join('; ')}.`,
    details: { table, shard: session.shard.id, refusals },
  })
}

async function begin(run: ConvertRun): Promise<void> {
  const { session, policy, source, names } = run
  await ensureConversions(session)
  session.step('create-copy')
  await session.transaction(`create the copy of ${policy.table}`, async () => {
    await session.script(shadowSql(source, policy, names))
    await session.script(captureSql(source, names))
    await beginConversion(session, policy, source.row.oid)
  })
}

async function copyAll(run: ConvertRun): Promise<void> {
  const { session, policy, names, options } = run
  await ensureCapture(run)
  await ensureShadowPartitions(run)
  for (;;) {
    const conversion = (await readConversion(session, policy)) as Conversion
    if (conversion.copied) return
    session.step('copy-batch', { rows: conversion.rows })
    await withPartitions(run, () =>
      session.transaction(`copy rows of ${names.source}`, () => copyBatch(run, conversion)),
    )
    if (options.pauseMs > 0) await options.clock.sleep(options.pauseMs, { signal: options.signal })
  }
}

/** Changes are noted before the first row is read: nothing written from here on can be missed. */
async function ensureCapture({ session, policy, names }: ConvertRun): Promise<void> {
  const { rowCount } = await session.query(
    "select from pg_trigger where tgrelid = $1::regclass and tgname = 'shardwright_convert_truncate' and tgenabled = 'A'",
    [names.source],
  )
  if ((rowCount ?? 0) > 0) return
  session.step('capture')
  await session.transaction(`note changes of ${policy.table}`, () => session.script(captureTriggerSql(names)))
}

/** A row may be written to a period that had no partition when the conversion began. */
async function withPartitions(run: ConvertRun, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if ((error as PartitionError).details?.sqlState !== checkViolation) throw error
    await ensureShadowPartitions(run)
    await work()
  }
}

async function catchUpAndSwap(run: ConvertRun): Promise<bigint> {
  await catchUp(run)
  const { rows } = await verifyCopy(run)
  for (;;) {
    await catchUp(run)
    if (await swapTables(run)) return rows
  }
}

async function catchUp(run: ConvertRun): Promise<void> {
  const { session, options } = run
  for (;;) {
    const pending = await pendingChanges(run)
    if (pending <= BigInt(options.swapRows)) return
    session.step('catch-up', { rows: pending })
    await withPartitions(run, () => catchUpBatch(run))
  }
}

/**
 * A batch reads what the rows are now, so that a unique value may already be theirs which the copy still holds in a row
 * whose change comes later (23505). All changes of one snapshot together cannot collide.
 */
async function catchUpBatch(run: ConvertRun): Promise<void> {
  const { session, options } = run
  try {
    await session.transaction('copy changed rows', () => applyChanges(run, options.batchRows))
  } catch (error) {
    if ((error as PartitionError).details?.sqlState !== uniqueViolation) throw error
    await session.transaction('copy all changed rows', async () => {
      await session.query('set transaction isolation level repeatable read')
      return await applyChanges(run, Number(await pendingChanges(run)))
    })
  }
}

async function finish(
  session: MaintenanceSession,
  policy: PartitionPolicy,
  conversion: Conversion,
  options: ResolvedConvertOptions,
  verified: bigint,
): Promise<ConvertReport> {
  for (const [schema, table, name] of conversion.toValidate) {
    session.step('validate')
    await session.withShortLocks(`validate ${name}`, () =>
      session.query(`alter table ${qualified(schema, table)} validate constraint ${identifier(name)}`),
    )
  }
  const { oldName } = convertNames(policy.schema, policy.table, conversion.sourceOid)
  session.step('finish')
  await session.transaction(`end the conversion of ${policy.table}`, async () => {
    if (options.dropOld) await session.query(`drop table if exists ${qualified(policy.schema, oldName)}`)
    await endConversion(session, policy)
  })
  session.step('analyze')
  await session.withShortLocks('analyze', () => session.query(`analyze ${qualified(policy.schema, policy.table)}`))
  return report(session, policy, 'converted', verified, conversion.rows, options.dropOld ? undefined : oldName)
}

function report(
  session: MaintenanceSession,
  policy: PartitionPolicy,
  outcome: ConvertReport['outcome'],
  verifiedRows: bigint,
  copiedRows: bigint,
  oldTable: string | undefined,
): ConvertReport {
  const table = `${policy.schema}.${policy.table}`
  return Object.freeze({ shard: session.shard.id, table, outcome, verifiedRows, copiedRows, oldTable })
}

/**
 * Gives up a conversion before its swap: removes the copy and the triggers; the table is as it was.
 * @throws PartitionError CONVERT_NOT_FOUND when none is under way or the swap is done
 * @example
 * await abandonConvert(shard, transactions)
 */
export async function abandonConvert(
  shard: FleetShard,
  policy: PartitionPolicy,
  options: ConvertOptions = {},
): Promise<void> {
  const table = `${policy.schema}.${policy.table}`
  await using session = await MaintenanceSession.open(shard, table, resolveConvertOptions(options))
  if (!(await lockParent(session, policy))) throw busy({ table, shard: shard.id })
  const conversion = await readConversion(session, policy)
  if (conversion?.phase !== 'copying') {
    throw new PartitionError({
      code: 'CONVERT_NOT_FOUND',
      message: `No conversion of ${table} is under way on shard ${shard.id}.`,
      details: { table, shard: shard.id },
    })
  }
  const names: ConvertNames = convertNames(policy.schema, policy.table, conversion.sourceOid)
  await session.transaction(`abandon the conversion of ${table}`, async () => {
    await session.script([...dropCaptureSql(names), `drop table if exists ${names.shadow}`])
    await endConversion(session, policy)
  })
}
