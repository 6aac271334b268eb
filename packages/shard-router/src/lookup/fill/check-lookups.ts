import { quote } from '../../merge/relation.ts'
import { gidPrefix } from '../../transaction/gid.ts'
import { inTransaction, withPatience } from './in-transaction.ts'
import { byShard, LookupSessions, type LookupWork, type ShardSessions } from './lookup-sessions.ts'
import { givenRows, givenSql, type LookupRow, type LookupShape, parametersOf, rowSql } from './lookup-shape.ts'
import { type PlacedRow, readRows } from './row-pages.ts'
import { addEntries, type Duplicate, findDuplicates } from './write-entries.ts'

/** What a look at one lookup found on all shards. */
export interface CheckedLookup {
  readonly lookup: string
  readonly rows: number
  readonly entries: number
  /** Rows without their entry: they are not found by lookup. */
  readonly missing: number
  /** Entries without their row: they cost a read, and a unique one bars its value. */
  readonly stale: number
  readonly duplicates: readonly Duplicate[]
}

/**
 * Compares the entries of lookups with the rows, while others write, and changes nothing.
 * @throws ConnectionError SHARD_UNREACHABLE
 * @example
 * const wrong = (await verifyLookups({ fleet, schema, topology })).filter(({ missing, stale }) => missing + stale > 0)
 */
export async function verifyLookups(options: LookupWork): Promise<readonly CheckedLookup[]> {
  return await checkLookups(options, false)
}

/**
 * Brings the entries of lookups to what the rows are, while others write: after writes that bypassed the router.
 * @throws ConnectionError SHARD_UNREACHABLE
 * @example
 * await repairLookups({ fleet: router.fleet, schema, topology: router.topology, lookups: ['users_by_email'] })
 */
export async function repairLookups(options: LookupWork): Promise<readonly CheckedLookup[]> {
  return await checkLookups(options, true)
}

async function checkLookups(options: LookupWork, repair: boolean): Promise<readonly CheckedLookup[]> {
  await using sessions = await LookupSessions.open(options)
  const { batchSize = 500, signal, fleet } = options
  const checked: CheckedLookup[] = []
  for (const shape of sessions.shapes) {
    const check = new LookupCheck(shape, sessions, { batchSize, signal, repair, gids: gidPrefix(fleet.topologyId) })
    checked.push(await check.run())
  }
  return checked
}

interface CheckSettings {
  readonly batchSize: number
  readonly signal: AbortSignal | undefined
  readonly repair: boolean
  /** How the names of prepared transactions of this topology begin. */
  readonly gids: string
}

interface Entry extends LookupRow {
  readonly version: string
}

/**
 * One pass over one lookup: first the entries, so that stale ones are out of the way, then the rows. What looks wrong in
 * bulk may be under way: it counts only when it is still wrong with a lock on it.
 */
class LookupCheck {
  readonly #shape: LookupShape
  readonly #sessions: LookupSessions
  readonly #settings: CheckSettings
  #rows = 0
  #entries = 0
  #missing = 0
  #stale = 0
  readonly #duplicates: Duplicate[] = []

  constructor(shape: LookupShape, sessions: LookupSessions, settings: CheckSettings) {
    this.#shape = shape
    this.#sessions = sessions
    this.#settings = settings
  }

  async run(): Promise<CheckedLookup> {
    for (const shard of this.#sessions.shards) await this.#checkEntries(shard)
    for (const shard of this.#sessions.shards) await this.#checkRows(shard)
    return {
      lookup: this.#shape.lookup.name,
      rows: this.#rows,
      entries: this.#entries,
      missing: this.#missing,
      stale: this.#stale,
      duplicates: this.#duplicates,
    }
  }

  async #checkEntries(shard: ShardSessions): Promise<void> {
    let after: Entry | undefined
    for (;;) {
      const page = await this.#entriesAfter(shard, after)
      this.#entries += page.length
      for (const [target, part] of byShard(page, (entry) => this.#sessions.rowsOf(this.#shape, entry))) {
        const here = part.filter((entry) => this.#sessions.entriesOf(this.#shape, entry) === shard)
        const suspects = [...part.filter((entry) => !here.includes(entry)), ...(await this.#withoutRow(target, here))]
        for (const entry of suspects) {
          await withPatience(() => this.#dropStale(shard, target, entry, !here.includes(entry)), this.#settings.signal)
        }
      }
      if (page.length < this.#settings.batchSize) return
      after = page.at(-1)
    }
  }

  async #entriesAfter(shard: ShardSessions, after: Entry | undefined): Promise<readonly Entry[]> {
    const { columns, entries } = this.#shape
    const names = columns.map(({ name }) => `e.${quote(name)}`)
    const from = columns.map(({ type }, index) => `$${index + 2}::text::${type}`)
    const { rows } = await shard.entries.query<Entry & object>(
      `select ${entryColumns(this.#shape)} from ${entries} e
 where $2::text is null or (${names.join(', ')}) > (${from.join(', ')}) order by ${names.join(', ')} limit $1`,
      [this.#settings.batchSize, after?.value ?? null, after?.key ?? null, after?.line ?? null],
    )
    return rows
  }

  async #withoutRow(target: ShardSessions, entries: readonly Entry[]): Promise<readonly Entry[]> {
    if (entries.length === 0) return []
    const { rows } = await target.rows.query<{ n: string }>(
      `select g.n from ${givenRows} where not exists (${this.#rowOfGiven()})`,
      [...parametersOf(entries)],
    )
    return rows.map(({ n }) => entries[Number(n) - 1] as Entry)
  }

  /** The row that a given entry is for. */
  #rowOfGiven(): string {
    const { lookup, table } = this.#shape
    const [value, key, line] = givenSql(this.#shape)
    return `select from (select r.${quote(lookup.column)} as v, r.${quote(lookup.table.key)} as k, ${rowSql(this.#shape)} from ${table} r
 where r.${quote(lookup.table.key)} = ${key} and r.${quote(lookup.column)} = ${value} offset 0) as f where f.line = ${line}`
  }

  async #dropStale(shard: ShardSessions, target: ShardSessions, entry: Entry, misplaced: boolean): Promise<void> {
    const { entries } = this.#shape
    const same = this.#shape.columns.map(({ name, type }, index) => `e.${quote(name)} = $${index + 2}::text::${type}`)
    const parameters = [entry.version, entry.value, entry.key, entry.line]
    const where = `e.xmin::text = $1 and ${same.join(' and ')}`
    const stale = await inTransaction(
      shard.entries,
      async () => {
        const held = await shard.entries.query(`select from ${entries} e where ${where} for update`, parameters)
        if (held.rowCount === 0) return false
        if (!misplaced) {
          // A transaction whose entry is committed may not have committed its row yet.
          await this.#preparedGone(target)
          if ((await this.#withoutRow(target, [entry])).length === 0) return false
        }
        await shard.entries.query(`delete from ${entries} e where ${where}`, parameters)
        return true
      },
      { keep: this.#settings.repair },
    )
    if (stale) this.#stale++
  }

  async #preparedGone({ rows: connection }: ShardSessions): Promise<void> {
    const prepared = async (): Promise<readonly string[]> => {
      const { rows } = await connection.query<{ gid: string }>(
        'select gid from pg_catalog.pg_prepared_xacts where database = pg_catalog.current_database() and starts_with(gid, $1)',
        [this.#settings.gids],
      )
      return rows.map(({ gid }) => gid)
    }
    let left = await prepared()
    while (left.length > 0) {
      this.#settings.signal?.throwIfAborted()
      await new Promise((resolve) => setTimeout(resolve, 20))
      const now = new Set(await prepared())
      left = left.filter((gid) => now.has(gid))
    }
  }

  async #checkRows(shard: ShardSessions): Promise<void> {
    let after: readonly string[] | undefined
    for (;;) {
      const page = await readRows(shard.rows, this.#shape, after, this.#settings.batchSize, false)
      this.#rows += page.length
      for (const [target, part] of byShard(page, (row) => this.#sessions.entriesOf(this.#shape, row))) {
        const suspects = await this.#withoutEntry(target, part)
        for (const row of suspects)
          await withPatience(() => this.#addMissing(shard, target, row), this.#settings.signal)
      }
      if (page.length < this.#settings.batchSize) return
      after = page.at(-1)?.place
    }
  }

  async #withoutEntry(target: ShardSessions, rows: readonly PlacedRow[]): Promise<readonly PlacedRow[]> {
    const given = givenSql(this.#shape)
    const same = this.#shape.columns.map(({ name }, index) => `e.${quote(name)} = ${given[index]}`)
    const { rows: found } = await target.entries.query<{ n: string }>(
      `select g.n from ${givenRows} where not exists (select from ${this.#shape.entries} e where ${same.join(' and ')})`,
      [...parametersOf(rows)],
    )
    return found.map(({ n }) => rows[Number(n) - 1] as PlacedRow)
  }

  async #addMissing(shard: ShardSessions, target: ShardSessions, row: PlacedRow): Promise<void> {
    await inTransaction(shard.rows, async () => {
      const { primaryKey, table, lookup } = this.#shape
      const same = primaryKey.map(({ name, type }, index) => `r.${quote(name)} = $${index + 2}::text::${type}`)
      const held = await shard.rows.query(
        `select from ${table} r where r.${quote(lookup.column)}::text = $1 and ${same.join(' and ')} for share`,
        [row.value, ...row.place],
      )
      if (held.rowCount === 0) return
      const { repair } = this.#settings
      const added = await inTransaction(target.entries, () => addEntries(target.entries, this.#shape, [row]), {
        keep: repair,
      })
      this.#missing += added
      if (added === 0) this.#duplicates.push(...(await findDuplicates(target.entries, this.#shape, [row])))
    })
  }
}

function entryColumns({ columns }: LookupShape): string {
  const names = ['value', 'key', 'line']
  const own = columns.map(({ name }, index) => `e.${quote(name)}::text as ${names[index]}`)
  return [...own, 'e.xmin::text as version'].join(', ')
}
