import { defineSchema, sharded } from '@shardwright/core'
import type { Database } from './database.ts'

export const schema = defineSchema<Database>()({
  tables: {
    transactions: sharded('user_id'),
    budgets: sharded('user_id'),
    monthly_spending_summary: sharded('user_id'),
    budget_utilization: sharded('user_id'),
  },
})

export type FinanceSchema = typeof schema
