import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mistakes } from './cases/shapes/mistakes.ts'
import { shapes } from './cases/shapes.ts'
import { runCase } from './run/run-case.ts'
import { Watch } from './run/watch.ts'
import { Databases } from './world/databases.ts'
import type { OpenWorld } from './world/open-world.ts'
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
  test.each(shapes)('$name', async ({ code, ordered, open: left = {} }) => {
    const write = /\.(?:insertInto|updateTable|deleteFrom|mergeInto)\(/.test(code)
    const query = { head: [code], steps: ordered ? [{ tag: 'order by', parts: [''], total: true }] : [] }
    const own = { number: 0, kind: write ? 'write' : 'read', door, plugin: 'none', query, again: '', key: 0 } as const
    const outcome = await runCase({ ...own, open: new Map(Object.entries(left)) }, open, watch)
    expect(outcome).toMatchObject({ kind: 'equal' })
  })
})

describe.each(['fanOut', 'stream'] as const)('through %s, refused with the SQLSTATE of one PostgreSQL', (door) => {
  test.each(mistakes)('$name', async ({ code, state }) => {
    const query = { head: [code], steps: [] }
    const own = { number: 0, kind: 'read', door, plugin: 'none', query, again: '', key: 0, open: new Map() } as const
    expect(await runCase(own, open, watch)).toEqual({ kind: 'both failed', state })
  })
})
