import { migratorOf } from '../migrate.ts'
import type { Check, Symptom } from './check.ts'

/** Migrations that are left, failed or changed. */
export const migrationsCheck: Check = {
  name: 'migrations',
  run: async (patient) => {
    const status = await migratorOf(patient).status()
    return status.migrations.flatMap((migration): Symptom[] => {
      const open = migration.shards.filter((cell) => cell.state !== 'applied' || cell.changed)
      if (open.length === 0) return []
      const states = [...new Set(open.map((cell) => (cell.changed ? 'changed' : cell.state)))].join(', ')
      return [
        {
          check: 'migrations',
          severity: 'error',
          message: `${migration.name} is ${states} on ${open.map((cell) => cell.shard).join(', ')}`,
          remedy: 'shardwright migrate up',
        },
      ]
    })
  },
}
