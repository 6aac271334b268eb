import type { Schema } from '@shardwright/core'
import { z } from 'zod'
import { databaseQuery, tablesQuery } from './catalog-query.ts'

const columnShape = z.object({
  name: z.string(),
  type: z.string(),
  base: z.string(),
  modifier: z.number(),
  notNull: z.boolean(),
  defaultSql: z.string().nullable(),
  identity: z.string(),
  generated: z.boolean(),
  deterministic: z.boolean(),
})
const tableShape = z.object({
  schema: z.string(),
  table: z.string(),
  kind: z.string(),
  columns: z.array(columnShape).nullable(),
  primaryKey: z.array(z.string()).nullable(),
  reaches: z.boolean(),
  refersToItself: z.boolean(),
  uniques: z.array(z.object({ name: z.string(), columns: z.array(z.string()).nullable() })).nullable(),
})
export type RawTable = z.infer<typeof tableShape>

export interface DatabaseFacts {
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
  readonly version: number
}

/** What a shard says of itself. */
export interface ShardFacts {
  readonly tables: readonly RawTable[]
  readonly database: DatabaseFacts
}

/** Runs a statement on the shard; its values are parsed as pg does by itself. */
export type AskShard = (sql: string, parameters: readonly unknown[]) => Promise<readonly unknown[]>

export async function readShardFacts(schema: Schema, ask: AskShard): Promise<ShardFacts> {
  const names = [schema.tables.map((table) => table.schema), schema.tables.map((table) => table.table)]
  const tables = z.array(tableShape).parse(await ask(tablesQuery, names))
  const [database] = await ask(databaseQuery, [])
  return { tables, database: database as DatabaseFacts }
}
