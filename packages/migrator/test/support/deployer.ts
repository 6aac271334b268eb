import { createFleet } from '@shardwright/core'
import pg from 'pg'
import { createMigrator } from '../../src/index.ts'

// Run as a process of its own: one of several that race, and one to be killed.
const { shards, folder, lockWaitMs } = JSON.parse(process.argv[2] ?? '{}')
const migrator = createMigrator({ fleet: createFleet({ shards, Client: pg.Client }), migrations: folder, lockWaitMs })
try {
  const report = await migrator.up({
    onFailure: 'continue',
    concurrency: 4,
    onEvent: (event) => {
      if (event.type === 'started') console.log(`${event.migration} ${event.shard}`)
    },
  })
  console.log(
    JSON.stringify({ outcome: report.outcome, done: report.steps.filter((step) => step.outcome === 'done').length }),
  )
} catch (error) {
  console.log(JSON.stringify({ code: (error as { code?: string }).code }))
}
