import { definePartitions } from '@shardwright/partition-manager'
import type { Database } from './database.ts'

/** A partition a month, from a year ago. */
export function monthlyPartitions(now: Date) {
  const from = new Date(Date.UTC(now.getUTCFullYear() - 1, now.getUTCMonth(), 1)).toISOString().slice(0, 10)
  return definePartitions<Database>()({ table: 'transactions', by: 'created_at', every: 'month', premake: 3, from })
}
