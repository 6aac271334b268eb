import type { ShardKey } from '@shardwright/core'
import type { ColumnType } from 'kysely'

export interface Database {
  transactions: TransactionsTable
  budgets: BudgetsTable
  monthly_spending_summary: MonthlySpending
  budget_utilization: BudgetUtilization
}

interface TransactionsTable {
  user_id: ShardKey<string>
  id: string
  created_at: Date
  category: string
  /** numeric: a text in JavaScript, so that no cent is lost. */
  amount: string
  description: string
  details: ColumnType<Record<string, unknown>, string, string>
}

interface BudgetsTable {
  user_id: ShardKey<string>
  category: string
  monthly_limit: string
}

/** A materialized view. Sum and count, so that shards and categories can be added up again. */
interface MonthlySpending {
  user_id: ShardKey<string>
  /** `2026-03`, in UTC. */
  month: string
  category: string
  total: string
  transactions: string
}

/** A materialized view over `monthly_spending_summary`. */
interface BudgetUtilization {
  user_id: ShardKey<string>
  month: string
  category: string
  monthly_limit: string
  spent: string
  used_percent: string
}
