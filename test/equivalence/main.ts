import { parseArgs } from 'node:util'
import { citusAvailability } from '@shardwright/local-cluster'
import { Counts } from './run/counts.ts'
import { run } from './run/run.ts'
import type { WorldEngine } from './world/world.ts'

// npm run test:equivalence -- [--engine citus] --seed S --cases N [--counts FILE] [--refusals]
// One case of a run: --seed S --only K [--wish 'a + b'] [--attempt N]
const engines: readonly WorldEngine[] = ['hash', 'citus']
const { values } = parseArgs({
  options: {
    /** citus: CITUS_URL names the cluster, or containers. */
    engine: { type: 'string', default: 'hash' },
    seed: { type: 'string' },
    cases: { type: 'string', default: '2000' },
    only: { type: 'string' },
    wish: { type: 'string' },
    attempt: { type: 'string', default: '0' },
    /** Pairs of clauses seen by earlier runs with the same file count too, and a long run may be cut into several. */
    counts: { type: 'string' },
    refusals: { type: 'boolean', default: false },
    'max-failures': { type: 'string', default: '20' },
  },
})
const seed = values.seed ?? String(Date.now())
const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}
const engine = engines.find((known) => known === values.engine)
if (engine === undefined) throw new RangeError(`--engine takes ${engines.join(' or ')}, not '${values.engine}'`)
if (engine === 'citus') {
  // Why there is none was printed.
  const { available } = await citusAvailability()
  if (!available) process.exit(0)
}
print(`seed ${seed}`)
const started = performance.now()
const before = values.counts === undefined ? new Counts() : await Counts.load(values.counts)
const failedBefore = before.failed
const only = values.only === undefined ? undefined : Number(values.only)
const counts = await run({
  engine,
  seed,
  cases: Number(values.cases),
  counts: before,
  ...(only === undefined ? {} : { only: { number: only, wish: values.wish, attempt: Number(values.attempt) } }),
  refusals: values.refusals,
  maxFailures: Number(values['max-failures']),
  print,
})
print(`${((performance.now() - started) / 1000).toFixed(0)} s`)
if (values.counts !== undefined) await counts.save(values.counts)
for (const line of counts.lines()) print(line)
const failed = counts.failed > failedBefore || (only === undefined && counts.shortfalls().length > 0)
process.exitCode = failed || counts.cases === 0 ? 1 : 0
