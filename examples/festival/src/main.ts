import { parseArgs } from 'node:util'
import { runDemo } from './demo.ts'
import { reportResult } from './report-result.ts'

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '240000' },
    festivals: { type: 'string', default: '60' },
    seed: { type: 'string', default: '7' },
    /** hash or citus; CITUS_URL alone means citus. */
    engine: { type: 'string', default: process.env.CITUS_URL ? 'citus' : 'hash' },
    'database-per-shard': { type: 'boolean', default: false },
  },
})

const started = performance.now()
const result = await runDemo(
  {
    transactions: positive('transactions', values.transactions),
    festivals: positive('festivals', values.festivals),
    seed: positive('seed', values.seed),
    engine: engineOf(values.engine),
    databasePerShard: values['database-per-shard'],
  },
  process.stdout,
)
console.log(`\ntook ${((performance.now() - started) / 1000).toFixed(1)} s`)
process.exitCode = reportResult(result, process.stdout)

function positive(name: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new RangeError(`--${name} takes a whole number from 1, not '${text}'`)
}

function engineOf(text: string): 'hash' | 'citus' {
  if (text === 'hash' || text === 'citus') return text
  throw new RangeError(`--engine takes hash or citus, not '${text}'`)
}
