import { defineView } from '@shardwright/view-manager'
import type { Database } from './database.ts'

export const userStats = defineView<Database>()({
  name: 'user_stats',
  query: (db) =>
    db
      .selectFrom('tasks')
      .groupBy('user_id')
      .select(({ fn }) => [
        'user_id',
        fn.countAll<string>().as('tasks'),
        fn.count<string>('done_at').as('done'), // of those that are done
      ]),
  uniqueOn: ['user_id'],
  family: 'user_id',
  refresh: { every: '1 hour', after: { changes: 500, seconds: 30 } },
})
