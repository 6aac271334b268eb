import { parseArgs } from 'node:util'
import { serve, untilStopped } from '@shardwright/example-support'
import { readYourWrites } from './api/read-your-writes.ts'
import { routes } from './api/routes.ts'
import { startProductivity } from './productivity.ts'
import { takeTour } from './tour.ts'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, once: { type: 'boolean', default: false } },
})

await using app = await startProductivity()
await using served = await serve({ app, routes, around: readYourWrites, port: Number(values.port) })
await takeTour(served.url, (line) => console.log(line))
console.log('productivity: ok')
if (!values.once) {
  await using schedule = app.views.start()
  console.log(`listening on ${served.url} until Ctrl-C; the view refreshes by its schedule`)
  await untilStopped()
  await schedule.stop()
}
