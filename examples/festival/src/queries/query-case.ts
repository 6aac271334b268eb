import type { ConfinedDatabase } from '@shardwright/core'
import type { Kysely } from 'kysely'
import type { DataSet } from '../data/data-set.ts'
import type { Months } from '../data/months.ts'
import type { Database } from '../schema/database.ts'
import type { FestivalSchema } from '../schema/schema.ts'

export type FestivalTables = ConfinedDatabase<FestivalSchema, 'festival_id'>

/** The doors to the data that a query may use: the router's, or the one PostgreSQL behind all of them. */
export interface Doors {
  readonly db: Kysely<Database>
  readonly fanOut: Kysely<Database>
  forFestival(id: string): Kysely<FestivalTables>
}

/** What the queries ask about. */
export interface Subject {
  readonly data: DataSet
  readonly months: Months
}

/** One query of the platform: the same code runs against the shards and against the one PostgreSQL. */
export interface QueryCase {
  readonly title: string
  /** Whether the rows have an order; otherwise only the set of rows is compared. */
  readonly ordered: boolean
  /** Whether it changes data, so that it runs only once. */
  readonly writes?: boolean
  /** The key of `doors.forFestival`, which the plan in words needs. */
  readonly festival?: string
  run(doors: Doors): Promise<readonly object[]>
}
