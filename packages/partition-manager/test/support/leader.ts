import { definePartitions, startMaintenance } from '../../src/index.ts'
import { fleetOfUrls } from './fleet-of-urls.ts'

// Run as a process of its own, once or more at a time: it maintains by its schedule, and says when it did.
const [url] = process.argv.slice(2) as [string]
const policy = definePartitions<{ events: { at: Date } }>()({ table: 'events', by: 'at', every: 'month', premake: 1 })
const maintenance = startMaintenance(fleetOfUrls([url]), [policy], {
  schedule: '* * * * * *',
  jitterMs: 50,
  onReport: (report) => void process.stdout.write(`ran ${report.tables[0]?.outcome}\n`),
})
setInterval(() => {}, 1000)
process.once('SIGTERM', () => void maintenance.stop().then(() => process.exit(0)))
