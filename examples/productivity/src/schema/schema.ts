import { defineSchema, sharded } from '@shardwright/core'
import type { Database } from './database.ts'

export const schema = defineSchema<Database>()({
  tables: {
    users: sharded('id', { family: 'user_id' }),
    tasks: sharded('user_id'),
    habits: sharded('user_id'),
    habit_days: sharded('user_id'),
    goals: sharded('user_id'),
    user_stats: sharded('user_id'),
  },
})

export type ProductivitySchema = typeof schema
