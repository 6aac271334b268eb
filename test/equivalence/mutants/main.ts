import type { createShardRouter } from '@shardwright/shard-router'
import { render } from '../code.ts'
import { type Case, caseTags, createCase } from '../generate/case.ts'
import { runCase } from '../run/run-case.ts'
import { Watch } from '../run/watch.ts'
import { Databases } from '../world/databases.ts'
import type { OpenWorld } from '../world/open-world.ts'
import { createWorld, type World } from '../world/world.ts'
import { importMutant } from './hooks.ts'
import { type Mutant, mutants } from './mutants.ts'

// node --conditions=shardwright-source test/equivalence/mutants/main.ts [seed] [worlds] [part of a name]
const [seed = 'mutants', worldsText = '10', part = ''] = process.argv.slice(2)
/** Cases made for one mutant in one world, until so many of them can show it; the shortest are run. */
const triesPerWorld = 2500
const fittingPerWorld = 250
const runsPerWorld = 100

interface Alive {
  readonly mutant: Mutant
  readonly create: typeof createShardRouter
}

const alive = new Set<Alive>()
const chosen = mutants.filter(({ name }) => name.includes(part))
for (const mutant of chosen) alive.add({ mutant, create: (await importMutant(mutant)).createShardRouter })

await using databases = await Databases.start([2, 3, 7])
let falseAlarms = 0
for (let number = 0; number < Number(worldsText) && alive.size > 0; number++) {
  const world = createWorld(seed, number)
  // On one shard nothing is merged.
  if (world.shards === 1) continue
  await databases.load(world)
  await using correct = await databases.connect(world, new Watch())
  for (const candidate of [...alive]) {
    const cases = fittingCases(candidate.mutant, number, world)
    const caught = await firstFailure(candidate, cases, world, correct)
    if (caught === undefined) continue
    alive.delete(candidate)
    const { name } = candidate.mutant
    process.stdout.write(`caught: ${name} (case ${caught.number}, after ${cases.indexOf(caught) + 1})\n`)
  }
}
for (const { mutant } of alive) process.stdout.write(`ALIVE: ${mutant.name}\n`)
process.stdout.write(`${chosen.length - alive.size} mutants caught, ${alive.size} alive, ${falseAlarms} false alarms\n`)
process.exitCode = alive.size > 0 || falseAlarms > 0 ? 1 : 0

/** Short statements first: they cost less, and have less in them that could hide a mistake. */
function fittingCases({ focus = [], wish = [], plugin, shows }: Mutant, number: number, world: World): readonly Case[] {
  const wishes = [...focus, ...wish]
  const options = wishes.length > 0 ? { wish: new Set(wishes), attempt: 1 } : {}
  const found: { readonly own: Case; readonly length: number }[] = []
  for (let i = 0; i < triesPerWorld && found.length < fittingPerWorld; i++) {
    const own = createCase(seed, number * triesPerWorld + i, world, options)
    const tags = caseTags(own)
    if (!focus.every((tag) => tags.has(tag))) continue
    if (plugin !== undefined && own.plugin !== plugin) continue
    const text = render(own.query)
    if (shows?.test(text) !== false) found.push({ own, length: text.length })
  }
  return found.sort((a, b) => a.length - b.length).map(({ own }) => own)
}

/** The first case that the mutant answers wrongly and the router itself does not. */
async function firstFailure(
  candidate: Alive,
  cases: readonly Case[],
  world: World,
  correct: OpenWorld,
): Promise<Case | undefined> {
  const watch = new Watch()
  await using open = await databases.connect(world, watch, candidate.create)
  for (const own of cases.slice(0, runsPerWorld)) {
    if ((await runCase(own, open, watch)).kind !== 'failed') continue
    await open.reset()
    if ((await runCase(own, correct, watch)).kind !== 'failed') return own
    falseAlarms += 1
  }
  return undefined
}
