import { defineRepository } from '@shardwright/core'
import type { Database } from './database.ts'

export const users = defineRepository<Database>()('users', { id: ['id'], key: 'id' })
export const tasks = defineRepository<Database>()('tasks', { id: ['user_id', 'id'], key: 'user_id' })
export const habits = defineRepository<Database>()('habits', { id: ['user_id', 'id'], key: 'user_id' })
export const habitDays = defineRepository<Database>()('habit_days', {
  id: ['user_id', 'habit_id', 'day'],
  key: 'user_id',
})
export const goals = defineRepository<Database>()('goals', { id: ['user_id', 'id'], key: 'user_id' })
