import { defineSchema, reference, sharded, single } from '@shardwright/core'
import type { createShardRouter } from '@shardwright/shard-router'

export const schema = defineSchema<Record<string, never>>()({
  tables: {
    t: sharded('k'),
    u: sharded('k'),
    x: sharded('k'),
    p: sharded('owner', { family: 'k' }),
    w: sharded('h'),
    r: reference(),
    o: single('s1'),
    c: sharded('k'),
    e: sharded('k'),
    q: reference(),
  },
} as never)

export type WorldRouter = ReturnType<typeof createShardRouter<typeof schema>>
