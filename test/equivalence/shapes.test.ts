import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shapes } from './cases/shapes.ts'
import { runCase } from './run/run-case.ts'
import { Watch } from './run/watch.ts'
import { Databases, type OpenWorld } from './world/databases.ts'
import { createWorld } from './world/world.ts'

// Written by hand: each is answered, and as one PostgreSQL does; none is refused.
const watch = new Watch()
let databases: Databases
let open: OpenWorld

beforeAll(async () => {
  const world = createWorld('shapes', 0)
  databases = await Databases.start([world.shards])
  open = await databases.open(world, watch)
})

afterAll(async () => {
  await open?.[Symbol.asyncDispose]()
  await databases?.[Symbol.asyncDispose]()
})

describe.each(['fanOut', 'transaction'] as const)('through %s', (door) => {
  test.each(shapes)('$name', async ({ code, ordered }) => {
    const write = /^db\.(insert|update|delete)/.test(code)
    const order = { tag: 'order by', parts: [''], total: true }
    // Tags of clauses that leave something open.
    const steps = [{ tag: 'group by', parts: [''] }, ...(ordered ? [order] : [])]
    const query = { head: [code], steps }
    const outcome = await runCase({ number: 0, kind: write ? 'write' : 'read', door, query, key: 0 }, open, watch)
    expect(outcome).toMatchObject({ kind: 'equal' })
  })
})
