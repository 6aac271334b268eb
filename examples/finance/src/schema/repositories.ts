import { defineRepository } from '@shardwright/core'
import type { Database } from './database.ts'

export const transactions = defineRepository<Database>()('transactions', {
  id: ['user_id', 'id', 'created_at'],
  key: 'user_id',
})
export const budgets = defineRepository<Database>()('budgets', { id: ['user_id', 'category'], key: 'user_id' })
