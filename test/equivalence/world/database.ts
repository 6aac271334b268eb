import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { givenColumns, type TableName, tableNames } from './columns.ts'
import { typedValues } from './typed-values.ts'
import type { World } from './world.ts'
import { worldSql } from './world-sql.ts'

/** Kysely over tables that only the generator knows. */
export type AnyKysely = Kysely<Record<string, Record<string, unknown>>>

/** A database of a world; what writes its tables goes past the router. */
export interface Database {
  readonly url: string
  readonly pool: pg.Pool
}

export function databaseAt(url: string): Database {
  return { url, pool: new pg.Pool({ connectionString: url, max: 2, options: '-c search_path=public' }) }
}

/** A new database in which no statement, of either side, runs for longer than a case is worth. */
export async function boundedDatabase(url: string): Promise<Database> {
  const database = databaseAt(url)
  await database.pool.query(
    `do $$ begin execute format('alter database %I set statement_timeout = %L', current_database(), '10s'); end $$`,
  )
  return database
}

/** Stock Kysely, as the world's values are read. */
export function kyselyAt(url: string, searchPath: string, { typed }: World): AnyKysely {
  const options = `-c TimeZone=UTC -c search_path=${searchPath}`
  const types = typed ? typedValues : undefined
  return new Kysely({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 2, options, types }) }),
  })
}

export type PlacedRows = Readonly<Record<TableName, readonly unknown[]>>

/** Leaves nothing of the last world. Citus has views of its own in `public`, so that schema stays. */
const clearStatements: readonly string[] = [
  ...['seed', 'confined', 'shardwright'].map((name) => `drop schema if exists ${name} cascade`),
  `drop table if exists ${tableNames.join(', ')} cascade`,
  'drop type if exists mood',
  'drop domain if exists instant',
  'drop collation if exists ci',
]

/** The world's tables in an empty database, each with a second one for the first rows. */
export function createStatements(world: World): string[] {
  const seeds = tableNames.map((table) => `create table seed.${table} (like public.${table})`)
  return [...clearStatements, ...worldSql(world).split(';\n'), 'create schema seed', ...seeds]
}

/** The rows, and a copy of them to put back after a write. */
export async function fill(pool: pg.Pool, rows: PlacedRows): Promise<void> {
  for (const table of tableNames) {
    await pool.query(`delete from seed.${table}; delete from public.${table}`)
    await pool.query(`insert into seed.${table} select * from jsonb_populate_recordset(null::public.${table}, $1)`, [
      JSON.stringify(rows[table]),
    ])
    await pool.query(copySql(table))
  }
}

/** Puts the first rows back. */
export const resetSql = tableNames.map((table) => `delete from ${table}; ${copySql(table)}`).join('; ')

/** Generated columns take no value. */
function copySql(table: TableName): string {
  const columns = givenColumns(table)
  return `insert into public.${table} (${columns}) select ${columns} from seed.${table}`
}
