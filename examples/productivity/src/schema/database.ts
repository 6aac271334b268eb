import type { ShardKey } from '@shardwright/core'
import type { Generated } from 'kysely'

export interface Database {
  users: UsersTable
  tasks: TasksTable
  habits: HabitsTable
  habit_days: HabitDaysTable
  goals: GoalsTable
  user_stats: UserStats
}

interface UsersTable {
  /** The same key as `user_id` elsewhere. */
  id: ShardKey<string>
  name: string
}

interface TasksTable {
  user_id: ShardKey<string>
  id: string
  title: string
  created_at: Generated<Date>
  done_at: Date | null
}

interface HabitsTable {
  user_id: ShardKey<string>
  id: string
  name: string
}

/** A day on which a habit was kept. */
interface HabitDaysTable {
  user_id: ShardKey<string>
  habit_id: string
  /** `2026-03-31`: a date has no time zone, so it stays a text. */
  day: string
}

interface GoalsTable {
  user_id: ShardKey<string>
  id: string
  title: string
  target: number
  progress: Generated<number>
}

/** A materialized view: a row per user who has tasks. */
interface UserStats {
  user_id: ShardKey<string>
  tasks: string
  done: string
}
