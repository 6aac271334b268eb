import { createOwnSchema, type FleetConnection } from '@shardwright/core'
import type { Migration } from '../migration/migration.ts'
import { toolVersion } from '../version.ts'
import type { JournalEntry, MigrationRow, MigrationState } from './migration-state.ts'
import * as sql from './state-table.sql.ts'

export interface StateChange {
  readonly state: MigrationState
  /** Undefined while it runs. */
  readonly durationMs?: number | undefined
  readonly error?: string | undefined
  readonly journal?: readonly JournalEntry[] | undefined
}

/** Reads and writes the state of one shard, on the connection that runs its migrations. */
export class MigrationStore {
  readonly #connection: FleetConnection
  readonly #appliedBy: string

  constructor(connection: FleetConnection, appliedBy: string) {
    this.#connection = connection
    this.#appliedBy = appliedBy
  }

  /** Creates schema and table where they are missing; call it under the migration lock. */
  async prepare(): Promise<void> {
    if (await this.#exists()) return
    await this.#connection.query(createOwnSchema)
    await this.#connection.query(sql.createStateTable)
  }

  /** Every row, by name; empty when the shard has never been migrated. */
  async read(): Promise<ReadonlyMap<string, MigrationRow>> {
    if (!(await this.#exists())) return new Map()
    const { rows } = await this.#connection.query<MigrationRow>(sql.selectState)
    return new Map(rows.map((row) => [row.name, Object.freeze(row)]))
  }

  async write(migration: Migration, change: StateChange): Promise<void> {
    await this.#connection.query(sql.upsertState, [
      migration.name,
      change.state,
      migration.checksum,
      migration.transaction,
      change.durationMs === undefined ? null : Math.round(change.durationMs),
      toolVersion,
      this.#appliedBy,
      change.error ?? null,
      JSON.stringify(change.journal ?? []),
    ])
  }

  async writeJournal(name: string, journal: readonly JournalEntry[]): Promise<void> {
    await this.#connection.query(sql.updateJournal, [name, JSON.stringify(journal)])
  }

  /** Records the present checksum of a file that was edited after it had been applied. */
  async acceptChecksum(migration: Migration): Promise<void> {
    await this.#connection.query(sql.updateChecksum, [migration.name, migration.checksum])
  }

  async remove(name: string): Promise<void> {
    await this.#connection.query(sql.deleteState, [name])
  }

  async #exists(): Promise<boolean> {
    const { rows } = await this.#connection.query<{ found: boolean }>('select to_regclass($1) is not null as found', [
      sql.stateTable,
    ])
    return rows[0]?.found === true
  }
}
