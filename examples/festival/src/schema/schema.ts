import { defineSchema, reference, sharded } from '@shardwright/core'
import type { Database } from './database.ts'

/** Where every table lives. */
export const schema = defineSchema<Database>()({
  tables: {
    festivals: reference(),
    users: reference(),
    stands: sharded('festival_id'),
    wallets: sharded('festival_id'),
    transactions: sharded('festival_id'),
    orders: sharded('festival_id'),
    tickets: sharded('user_id'),
    sessions: sharded('user_id'),
  },
})

export type FestivalSchema = typeof schema
