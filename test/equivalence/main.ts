import { parseArgs } from 'node:util'
import { run } from './run/run.ts'

// npm run test:equivalence -- --seed S --cases N [--only K] [--refusals]
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    cases: { type: 'string', default: '2000' },
    only: { type: 'string' },
    refusals: { type: 'boolean', default: false },
    'max-failures': { type: 'string', default: '20' },
  },
})
const seed = values.seed ?? String(Date.now())
const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}
print(`seed ${seed}`)
const started = performance.now()
const counts = await run({
  seed,
  cases: Number(values.cases),
  ...(values.only === undefined ? {} : { only: Number(values.only) }),
  refusals: values.refusals,
  maxFailures: Number(values['max-failures']),
  print,
})
print(`${((performance.now() - started) / 1000).toFixed(0)} s`)
for (const line of counts.lines()) print(line)
process.exitCode = counts.failed > 0 || counts.cases === 0 ? 1 : 0
