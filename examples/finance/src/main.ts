import { parseArgs } from 'node:util'
import { serve } from './api/server.ts'
import { startFinance } from './finance.ts'
import { takeTour } from './tour.ts'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, once: { type: 'boolean', default: false } },
})

await using finance = await startFinance()
const { server, url } = await serve(finance, Number(values.port))
try {
  await takeTour(url, new Date().toISOString().slice(0, 7), (line) => console.log(line))
  console.log('finance: ok')
  if (!values.once) {
    await using schedule = finance.views.start()
    console.log(`listening on ${url} until Ctrl-C; views refresh by their schedule`)
    await new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
    await schedule.stop()
  }
} finally {
  server.close()
  server.closeAllConnections()
}
