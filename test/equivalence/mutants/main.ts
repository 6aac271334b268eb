import { createShardRouter } from '@shardwright/shard-router'
import { createCase } from '../generate/case.ts'
import { runCase } from '../run/run-case.ts'
import { Watch } from '../run/watch.ts'
import { Databases } from '../world/databases.ts'
import { createWorld } from '../world/world.ts'
import { importMutant } from './hooks.ts'
import { type Mutant, mutants } from './mutants.ts'

// node --conditions=shardwright-source test/equivalence/mutants/main.ts [seed] [worlds]
const [seed = 'mutants', worldsText = '12'] = process.argv.slice(2)
const casesPerWorld = 60

interface Alive {
  readonly mutant: Mutant
  readonly create: typeof createShardRouter
}

const alive = new Set<Alive>()
for (const mutant of mutants) alive.add({ mutant, create: (await importMutant(mutant)).createShardRouter })
const correct: Alive = { mutant: { name: 'none', file: '', find: '', replace: '' }, create: createShardRouter }

await using databases = await Databases.start([2, 3, 7])
let innocent = 0
const excused = new Set<number>()
for (let number = 0; number < Number(worldsText) && alive.size > 0; number++) {
  const world = createWorld(seed, number)
  if (world.shards === 1) continue
  await databases.load(world)
  for (const candidate of [correct, ...alive]) {
    const caught = await firstFailure(candidate, number)
    if (caught === undefined) continue
    if (candidate === correct) {
      innocent += 1
      excused.add(caught)
      process.stdout.write(`the router itself failed case ${caught}\n`)
    } else {
      alive.delete(candidate)
      process.stdout.write(`caught: ${candidate.mutant.name} (case ${caught})\n`)
    }
  }
}
for (const { mutant } of alive) process.stdout.write(`ALIVE: ${mutant.name}\n`)
process.stdout.write(`${mutants.length - alive.size} mutants caught, ${alive.size} alive, ${innocent} false alarms\n`)
process.exitCode = alive.size > 0 || innocent > 0 ? 1 : 0

/** The number of the first case whose answer the mutant gets wrong. */
async function firstFailure(candidate: Alive, number: number): Promise<number | undefined> {
  const world = createWorld(seed, number)
  const watch = new Watch()
  await using open = await databases.connect(world, watch, candidate.create)
  for (let i = number * casesPerWorld; i < (number + 1) * casesPerWorld; i++) {
    const outcome = await runCase(createCase(seed, i, world), open, watch)
    if (outcome.kind !== 'failed' || excused.has(i)) continue
    await open.reset()
    return i
  }
  return undefined
}
