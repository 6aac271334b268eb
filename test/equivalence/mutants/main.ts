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

// node --conditions=shardwright-source test/equivalence/mutants/main.ts [seed] [worlds]
const [seed = 'mutants', worldsText = '10'] = process.argv.slice(2)
const casesPerWorld = 900

interface Alive {
  readonly mutant: Mutant
  readonly create: typeof createShardRouter
}

const alive = new Set<Alive>()
for (const mutant of mutants) alive.add({ mutant, create: (await importMutant(mutant)).createShardRouter })

await using databases = await Databases.start([2, 3, 7])
let falseAlarms = 0
for (let number = 0; number < Number(worldsText) && alive.size > 0; number++) {
  const world = createWorld(seed, number)
  await databases.load(world)
  await using correct = await databases.connect(world, new Watch())
  // Short statements first: they cost less, and have less in them that could hide a mistake.
  const cases = Array.from({ length: casesPerWorld }, (_, i) => createCase(seed, number * casesPerWorld + i, world))
    .map((own) => ({ own, length: render(own.query).length }))
    .sort((a, b) => a.length - b.length)
    .map(({ own }) => own)
  for (const candidate of [...alive]) {
    const { focus = [], name } = candidate.mutant
    const fit = cases.filter((own) => {
      const tags = caseTags(own)
      return focus.every((tag) => tags.has(tag))
    })
    const caught = await firstFailure(candidate, fit, world, correct)
    if (caught === undefined) continue
    alive.delete(candidate)
    process.stdout.write(`caught: ${name} (case ${caught.number}, after ${fit.indexOf(caught) + 1})\n`)
  }
}
for (const { mutant } of alive) process.stdout.write(`ALIVE: ${mutant.name}\n`)
process.stdout.write(
  `${mutants.length - alive.size} mutants caught, ${alive.size} alive, ${falseAlarms} false alarms\n`,
)
process.exitCode = alive.size > 0 || falseAlarms > 0 ? 1 : 0

/** The first case that the mutant answers wrongly and the router itself does not; at most 100 of a world. */
async function firstFailure(
  candidate: Alive,
  cases: readonly Case[],
  world: World,
  correct: OpenWorld,
): Promise<Case | undefined> {
  const watch = new Watch()
  await using open = await databases.connect(world, watch, candidate.create)
  for (const own of cases.slice(0, 100)) {
    if ((await runCase(own, open, watch)).kind !== 'failed') continue
    await open.reset()
    if ((await runCase(own, correct, watch)).kind !== 'failed') return own
    falseAlarms += 1
  }
  return undefined
}
