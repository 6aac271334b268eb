import { render } from '../code.ts'
import { type Case, caseTags, createCase } from '../generate/case.ts'
import { Steering } from '../generate/steering.ts'
import { CitusDatabases } from '../world/citus-databases.ts'
import { Databases } from '../world/databases.ts'
import type { OpenWorld } from '../world/open-world.ts'
import { createWorld, type World, type WorldEngine } from '../world/world.ts'
import { Counts } from './counts.ts'
import { build } from './evaluate.ts'
import { programOf } from './program.ts'
import { runCase } from './run-case.ts'
import { shrink } from './shrink.ts'
import { shrinkRows } from './shrink-rows.ts'
import { isTooLarge } from './too-large.ts'
import { Watch } from './watch.ts'

export interface RunOptions {
  readonly seed: string
  readonly cases: number
  /** Default: hash. */
  readonly engine?: WorldEngine | undefined
  /** What earlier runs have seen; new ones by default. */
  readonly counts?: Counts
  /** One case alone: its number, and how it was made when the run chose it for its clauses. */
  readonly only?: { readonly number: number; readonly wish: string | undefined; readonly attempt: number }
  /** Print refusals too. */
  readonly refusals?: boolean
  /** Stop after so many failures. */
  readonly maxFailures?: number
  print(text: string): void
}

/** Cases of one world: data costs more than a query. */
const casesPerWorld = 60

export async function run(options: RunOptions): Promise<Counts> {
  const counts = options.counts ?? new Counts()
  const steering = new Steering(options.seed, counts.pairs)
  await using databases = options.engine === 'citus' ? await CitusDatabases.start() : await Databases.start()
  const first = options.only?.number ?? 0
  const last = options.only?.number ?? options.cases - 1
  const failedBefore = counts.failed
  for (let start = first; start <= last; start = (Math.floor(start / casesPerWorld) + 1) * casesPerWorld) {
    const number = Math.floor(start / casesPerWorld)
    const watch = new Watch()
    await using open = await databases.open(createWorld(options.seed, number, databases), watch)
    const end = Math.min(last, (number + 1) * casesPerWorld - 1)
    for (let i = start; i <= end; i++) {
      const own = options.only ? oneCase(options, open.world) : await nextCase(i, open, steering, options.seed)
      await runOne(own, open, { options, counts, watch })
      if (counts.failed - failedBefore >= (options.maxFailures ?? Number.POSITIVE_INFINITY)) return counts
    }
  }
  return counts
}

function oneCase({ seed, only }: RunOptions, world: World): Case {
  const { number = 0, wish, attempt = 0 } = only ?? {}
  return createCase(seed, number, world, {
    attempt,
    ...(wish === undefined ? {} : { wish: new Set(wish.split(' + ')) }),
  })
}

/** The case that the counts ask for, or another of its number when its answer is too large. */
async function nextCase(number: number, open: OpenWorld, steering: Steering, seed: string): Promise<Case> {
  let own = steering.next(number, open.world)
  for (let attempt = 1; await isTooLarge(own, open); attempt++) own = createCase(seed, number, open.world, { attempt })
  return own
}

interface Context {
  readonly options: RunOptions
  readonly counts: Counts
  readonly watch: Watch
}

async function runOne(own: Case, open: OpenWorld, { options, counts, watch }: Context): Promise<void> {
  const outcome = await runCase(own, open, watch)
  const { shards, keyType, hash, engine } = open.world
  const placed = engine === 'citus' ? engine : hash
  const settings = [own.door, `plugin: ${own.plugin}`, `${keyType} key`, placed, `${shards} shards`]
  counts.add(outcome, caseTags(own), settings)
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
  const rows = await shrinkRows(open.world.rows, async (candidate) => {
    await open.refill(candidate)
    const again = await runCase(smallest, open, watch)
    return again.kind === 'failed' && classOf(again.why) === classOf(outcome.why)
  })
  await open.refill(rows)
  const last = await runCase(smallest, open, watch)
  const world = { ...open.world, rows }
  options.print(report(smallest, last.kind === 'failed' ? last.why : outcome.why, open, options.seed, world))
  await open.refill(open.world.rows)
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

function report(own: Case, why: string, open: OpenWorld, seed: string, world: World): string {
  return [
    `FAILED case ${own.number} (seed ${seed}, ${world.shards} shards, key ${world.keyType}, ${world.engine === 'citus' ? 'Citus' : `hash ${world.hash}`}, door ${own.door}, plugin ${own.plugin})`,
    `  ${why}`,
    `  ${render(own.query, '  ')}`,
    `  ${sqlOf(own, open)}`,
    `  again: npm run test:equivalence --${world.engine === 'citus' ? ' --engine citus' : ''} --seed ${seed} --only ${own.number}${own.again}`,
    // The program makes shards of its own; on Citus the command above is the way.
    ...(world.engine === 'hash' ? ['  as a program:', programOf(own, world).replaceAll(/^/gm, '  | ')] : []),
    '',
  ].join('\n')
}
