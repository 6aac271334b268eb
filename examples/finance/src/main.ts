import { parseArgs } from 'node:util'
import { serve, untilStopped } from '@shardwright/example-support'
import { routes } from './api/routes.ts'
import { startFinance } from './finance.ts'
import { takeTour } from './tour.ts'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, once: { type: 'boolean', default: false } },
})

await using finance = await startFinance()
await using served = await serve({ app: finance, routes, port: Number(values.port) })
await takeTour(served.url, new Date().toISOString().slice(0, 7), (line) => console.log(line))
console.log('finance: ok')
if (!values.once) {
  await using schedule = finance.views.start()
  console.log(`listening on ${served.url} until Ctrl-C; views refresh by their schedule`)
  await untilStopped()
  await schedule.stop()
}
