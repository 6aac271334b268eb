import { importMutant } from './mutants/hooks.ts'
import { mutants } from './mutants/mutants.ts'
import { runCase } from './run/run-case.ts'
import { Watch } from './run/watch.ts'
import { Databases } from './world/databases.ts'
import { createWorld } from './world/world.ts'
await using databases = await Databases.start([3])
const world = createWorld('mutants', 0)
await databases.load(world)
for (const [name, ...codes] of [
  ['the scale of a sum', `db.selectFrom('t').select((eb) => eb.fn.sum('m').as('s'))`, `db.selectFrom('t').select((eb) => ['g', eb.fn.sum('m').as('s')]).groupBy('g')`, `db.selectFrom('t').select((eb) => ['id', eb.fn.sum('m').as('s')]).groupBy('id')`, `db.selectFrom('t').select((eb) => ['g', eb.fn.sum('n').as('s')]).groupBy('g')`],
  ['rows of equal keys', `db.selectFrom('t').select(['n', 'id']).orderBy('n').orderBy('id')`, `db.selectFrom('t').select(['n', 'id']).orderBy('n', 'desc').orderBy('id')`],
] as const) {
  const m = mutants.find((x) => x.name.startsWith(name))!
  const watch = new Watch()
  await using open = await databases.connect(world, watch, (await importMutant(m)).createShardRouter)
  for (const code of codes) {
    const query = { head: [code], steps: code.includes('order') ? [{ tag: 'order by', parts: [''], total: true }] : [] }
    console.log(name, code, JSON.stringify(await runCase({ number: 0, kind: 'read', door: 'fanOut', plugin: 'none', query, again: '', key: 0, open: new Map() }, open, watch)))
    console.log(String(await open.router.explain((new Function('db', 'sql', `return ${code}`))(open.router.fanOut(), undefined), { costs: false })).split('\n').slice(-3).join('|'))
  }
}
