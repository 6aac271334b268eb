import { defineRepository } from '@shardwright/core'
import type { Database } from './database.ts'

export const festivals = defineRepository<Database>()('festivals', { id: ['id'] })
export const wallets = defineRepository<Database>()('wallets', { id: ['festival_id', 'id'], key: 'festival_id' })
export const transactions = defineRepository<Database>()('transactions', {
  id: ['festival_id', 'id', 'created_at'],
  key: 'festival_id',
})
