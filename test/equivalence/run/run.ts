import { render } from '../code.ts'
import { type Case, caseTags, createCase } from '../generate/case.ts'
import { Databases, type OpenWorld } from '../world/databases.ts'
import { createWorld } from '../world/world.ts'
import { Counts } from './counts.ts'
import { build } from './evaluate.ts'
import { runCase } from './run-case.ts'
import { shrink } from './shrink.ts'
import { Watch } from './watch.ts'

export interface RunOptions {
  readonly seed: string
  readonly cases: number
  /** One case alone, by its number. */
  readonly only?: number
  /** Print refusals too. */
  readonly refusals?: boolean
  /** Stop after so many failures. */
  readonly maxFailures?: number
  print(text: string): void
}

/** Cases of one world: data costs more than a query. */
const casesPerWorld = 60

export async function run(options: RunOptions): Promise<Counts> {
  const counts = new Counts()
  await using databases = await Databases.start()
  const first = options.only ?? 0
  const last = options.only ?? options.cases - 1
  for (let start = first; start <= last; start = (Math.floor(start / casesPerWorld) + 1) * casesPerWorld) {
    const number = Math.floor(start / casesPerWorld)
    const watch = new Watch()
    await using open = await databases.open(createWorld(options.seed, number), watch)
    const end = Math.min(last, (number + 1) * casesPerWorld - 1)
    for (let i = start; i <= end; i++) {
      await runOne(createCase(options.seed, i, open.world), open, { options, counts, watch })
      if (counts.failed >= (options.maxFailures ?? Number.POSITIVE_INFINITY)) return counts
    }
  }
  return counts
}

interface Context {
  readonly options: RunOptions
  readonly counts: Counts
  readonly watch: Watch
}

async function runOne(own: Case, open: OpenWorld, { options, counts, watch }: Context): Promise<void> {
  const outcome = await runCase(own, open, watch)
  counts.add(outcome, caseTags(own))
  if (outcome.kind === 'refused' && options.refusals) {
    options.print(`case ${own.number} refused: ${outcome.code} ${outcome.message}\n  ${sqlOf(own, open)}`)
  }
  if (outcome.kind === 'both failed' && options.refusals) {
    options.print(`case ${own.number} failed on both: ${outcome.state}\n  ${sqlOf(own, open)}`)
  }
  if (outcome.kind !== 'failed') return
  const query = await shrink(own.query, async (candidate) => {
    const again = await runCase({ ...own, query: candidate }, open, watch)
    return again.kind === 'failed' && classOf(again.why) === classOf(outcome.why)
  })
  const smallest = { ...own, query }
  const last = await runCase(smallest, open, watch)
  options.print(await report(smallest, last.kind === 'failed' ? last.why : outcome.why, open, options.seed))
}

/** A smaller query must fail in the same way: dropping FROM makes any query fail in some way. */
function classOf(why: string): string {
  const code = /\((\w+)\)$/.exec(why)?.[1]
  return code ?? why.replace(/[:\n].*$/s, '').replaceAll(/\d+/g, 'n')
}

function sqlOf(own: Case, open: OpenWorld): string {
  try {
    return build(own.query, open.oracle).compile().sql
  } catch (error) {
    return `(does not compile: ${String(error)})`
  }
}

async function report(own: Case, why: string, open: OpenWorld, seed: string): Promise<string> {
  const { world } = open
  const sql = sqlOf(own, open)
  return [
    `FAILED case ${own.number} (seed ${seed}, ${world.shards} shards, key ${world.keyType}, hash ${world.hash}, door ${own.door})`,
    `  ${why}`,
    `  ${render(own.query, '  ')}`,
    `  ${sql}`,
    `  again: npm run test:equivalence -- --seed ${seed} --only ${own.number}`,
    '',
  ].join('\n')
}
