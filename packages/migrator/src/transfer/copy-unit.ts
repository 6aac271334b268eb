import type { FleetConnection, FleetShard } from '@shardwright/core'
import { CopyingIn, rowsOf } from './copy-streams.ts'
import { beginPinned, openPinned, readOnly } from './pinned-connection.ts'
import { repeatRows, routeRows } from './route-rows.ts'
import type { TablePlan } from './table-plan.ts'
import { writeState } from './transfer-state.ts'

/** One table of one source shard, and the target shards that lack it. */
export interface CopyUnit {
  readonly plan: TablePlan
  readonly from: FleetShard
  /** By index in the target's fleet; undefined where it is done. */
  readonly to: readonly (FleetShard | undefined)[]
  /** For a key's text the index in `to`; without it all rows go to all of `to`. */
  readonly place: ((key: string) => number) | undefined
  /** The source's name in the state. */
  readonly source: string
  readonly signal: AbortSignal
}

/**
 * Streams the rows through this process, in bounded memory. Each target shard commits its rows and the word that it has them
 * at once: killed anywhere, a second call goes on with the shards that lack them. Returns the rows written.
 */
export async function copyUnit(unit: CopyUnit): Promise<bigint> {
  const opened: FleetConnection[] = []
  const open = async (shard: FleetShard) => {
    const connection = await openPinned(shard, unit.signal)
    opened.push(connection)
    return connection
  }
  const copies: CopyingIn[] = []
  try {
    const from = await open(unit.from)
    await beginPinned(from, readOnly)
    const targets: (Target | undefined)[] = []
    for (const shard of unit.to) targets.push(shard && (await beginTarget(await open(shard), unit, copies)))
    await stream(unit, from, targets)
    let rows = 0n
    for (const target of targets) if (target) rows += await finish(target, unit)
    return rows
  } catch (error) {
    for (const copy of copies) copy.abandon()
    throw error
  } finally {
    // A COPY that was cut leaves a client that only ends.
    await Promise.all(opened.map((connection) => connection.release().catch(() => undefined)))
  }
}

interface Target {
  readonly connection: FleetConnection
  readonly copy: CopyingIn
}

async function beginTarget(connection: FleetConnection, { plan }: CopyUnit, copies: CopyingIn[]): Promise<Target> {
  await beginPinned(connection)
  // What migrations have seeded is replaced by what the source has.
  if (plan.placement.kind === 'reference') await connection.query(`delete from ${plan.name}`)
  const copy = new CopyingIn(connection, `copy ${plan.name} (${plan.columns.join(', ')}) from stdin`)
  copies.push(copy)
  return { connection, copy }
}

async function stream(
  { plan, place, signal }: CopyUnit,
  from: FleetConnection,
  targets: readonly (Target | undefined)[],
): Promise<void> {
  const sql = `copy (select ${plan.columns.join(', ')} from ${plan.name}) to stdout`
  const chunks = untilAborted(rowsOf(from, sql), signal)
  const sinks = targets.map((target) => target?.copy)
  if (place) await routeRows(chunks, sinks, place)
  else
    await repeatRows(
      chunks,
      sinks.filter((sink) => sink !== undefined),
    )
}

async function* untilAborted(chunks: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    yield chunk
  }
}

async function finish({ connection, copy }: Target, { plan, from, source }: CopyUnit): Promise<bigint> {
  const rows = await copy.finish()
  await writeState(connection, source, { table: plan.placement.name, shard: from.id, rows })
  const { command } = await connection.query('commit')
  if (command !== 'COMMIT') throw new Error(`COMMIT of ${plan.name} was answered with ROLLBACK`)
  return rows
}
