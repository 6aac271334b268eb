// npm run test:faults -- --seed S --minutes M --rounds N [execution] [transactions] [cache] [citus]: all suites, or those that are named.
import { parseArgs } from 'node:util'

interface Suite {
  run(options: { readonly seed: number; readonly minutes?: number; readonly rounds?: number }): Promise<boolean>
}

const suites: Readonly<Record<string, () => Promise<Suite>>> = {
  execution: () => import('./execution.ts') as Promise<Suite>,
  transactions: () => import('./transactions.ts') as Promise<Suite>,
  cache: () => import('./cache.ts') as Promise<Suite>,
  // Where CITUS_URL or containers are; else it says that it is skipped.
  citus: () => import('./citus.ts') as Promise<Suite>,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, minutes: { type: 'string' }, rounds: { type: 'string' } },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed)
const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
const names = positionals.length > 0 ? positionals : Object.keys(suites)
if (!Number.isInteger(seed) || (minutes !== undefined && !(minutes >= 0)))
  throw new Error('--seed and --minutes are numbers')
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds is a number from 1')

let kept = true
for (const name of names) {
  const load = suites[name]
  if (load === undefined) throw new Error(`no suite '${name}'; there are ${Object.keys(suites).join(', ')}`)
  const suite = await load()
  // `minutes` are those of one suite. The others run through their own list of faults once.
  const ok = await suite.run({
    seed,
    ...(minutes === undefined ? {} : { minutes }),
    ...(rounds === undefined ? {} : { rounds }),
  })
  console.log(`${name}: ${ok ? 'every promise kept' : 'FAILED'} (seed ${seed})`)
  kept &&= ok
}
process.exitCode = kept ? 0 : 1
