import type { FleetConnection } from '@shardwright/core'
import { inTransaction, withPatience } from './in-transaction.ts'
import { byShard, LookupSessions, type LookupWork, type ShardSessions } from './lookup-sessions.ts'
import type { LookupShape } from './lookup-shape.ts'
import { type PlacedRow, readRows } from './row-pages.ts'
import { addEntries, type Duplicate, findDuplicates } from './write-entries.ts'
import { writersGone } from './writers-gone.ts'

/** How `backfillLookups` works, and whom it tells how far it is. */
export interface BackfillOptions extends LookupWork {
  readonly onProgress?: ((progress: BackfillProgress) => void) | undefined
}

/** How far the rows of one table are on one shard. */
export interface BackfillProgress {
  readonly lookup: string
  readonly shard: string
  /** Rows looked at on this shard since the call. */
  readonly rows: number
}

/** What became of one lookup. */
export interface BackfilledLookup {
  readonly lookup: string
  /** Routers that start (or refresh) from now on find shards by it. */
  readonly ready: boolean
  readonly rows: number
  /** Why it is not ready: at most a hundred of a shard. Correct the rows, and call again. */
  readonly duplicates: readonly Duplicate[]
}

/**
 * Fills the entries of lookups from the rows that are there, while others write. Goes on where an earlier call ended.
 * From its first moment writers that do not keep the lookup are refused by the server, so deploy those that do before.
 * @throws ConnectionError SHARD_UNREACHABLE
 * @example
 * const [users] = await backfillLookups({ fleet: router.fleet, schema, topology: router.topology })
 */
export async function backfillLookups(options: BackfillOptions): Promise<readonly BackfilledLookup[]> {
  await using sessions = await LookupSessions.open(options)
  const filled: BackfilledLookup[] = []
  for (const shape of sessions.shapes) filled.push(await backfill(shape, sessions, options))
  return filled
}

async function backfill(
  shape: LookupShape,
  sessions: LookupSessions,
  options: BackfillOptions,
): Promise<BackfilledLookup> {
  const { name } = shape.lookup
  const states = await Promise.all(sessions.shards.map(({ rows }) => stateOf(rows, name)))
  if (states.every((state) => state === 'ready')) return { lookup: name, ready: true, rows: 0, duplicates: [] }
  for (const { rows } of sessions.shards) {
    await rows.query(`update shardwright.lookup set state = 'filling' where name = $1 and state = 'new'`, [name])
  }
  await Promise.all(sessions.shards.map(({ rows }) => writersGone(rows, options.signal)))
  let rows = 0
  const duplicates: Duplicate[] = []
  for (const [index, shard] of sessions.shards.entries()) {
    if (states[index] === 'ready') continue
    const done = await fillFrom(shard, shape, sessions, options)
    rows += done.rows
    duplicates.push(...done.duplicates)
  }
  const ready = duplicates.length === 0
  for (const shard of sessions.shards) await setState(shard.rows, name, ready ? 'ready' : 'filling')
  return { lookup: name, ready, rows, duplicates }
}

async function fillFrom(
  shard: ShardSessions,
  shape: LookupShape,
  sessions: LookupSessions,
  { batchSize = 500, signal, onProgress }: BackfillOptions,
): Promise<{ readonly rows: number; readonly duplicates: readonly Duplicate[] }> {
  let rows = 0
  const duplicates: Duplicate[] = []
  for (;;) {
    const page = await withPatience(() => fillPage(shard, shape, sessions, batchSize), signal)
    rows += page.rows
    if (duplicates.length < 100) duplicates.push(...page.duplicates)
    onProgress?.({ lookup: shape.lookup.name, shard: shard.shard, rows })
    if (page.rows < batchSize) return { rows, duplicates }
  }
}

/** The rows are held until their entries are committed, so that none of them goes in between. */
async function fillPage(shard: ShardSessions, shape: LookupShape, sessions: LookupSessions, batchSize: number) {
  return await inTransaction(shard.rows, async () => {
    const { name } = shape.lookup
    const { rows: states } = await shard.rows.query<{ filled_to: string[] | null }>(
      'select filled_to from shardwright.lookup where name = $1 for update',
      [name],
    )
    const rows = await readRows(shard.rows, shape, states[0]?.filled_to ?? undefined, batchSize, true)
    const duplicates: Duplicate[] = []
    for (const [target, part] of byShard(rows, (row: PlacedRow) => sessions.entriesOf(shape, row))) {
      const added = await addEntries(target.entries, shape, part)
      if (added < part.length) duplicates.push(...(await findDuplicates(target.entries, shape, part)))
    }
    const last = rows.at(-1)?.place
    if (last) await shard.rows.query('update shardwright.lookup set filled_to = $2 where name = $1', [name, last])
    return { rows: rows.length, duplicates }
  })
}

async function stateOf(connection: FleetConnection, name: string): Promise<string | undefined> {
  const { rows } = await connection.query<{ state: string }>('select state from shardwright.lookup where name = $1', [
    name,
  ])
  return rows[0]?.state
}

/** A lookup that is not ready is filled from the beginning the next time: its duplicates may be corrected then. */
async function setState(connection: FleetConnection, name: string, state: 'filling' | 'ready'): Promise<void> {
  await connection.query('update shardwright.lookup set state = $2, filled_to = null where name = $1', [name, state])
}
