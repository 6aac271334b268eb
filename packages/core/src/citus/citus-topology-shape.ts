import { z } from 'zod'
import { idShape, serverShape } from '../topology/topology-shape.ts'

/** The form of `CitusTopologyInput`, with its defaults. */
export const citusTopologyShape = z.strictObject({
  engine: z.literal('citus'),
  id: idShape.default('default'),
  coordinator: serverShape,
  nodes: z
    .record(z.string().regex(/^.+:\d{1,5}$/, "name a node as 'host:port', as in pg_dist_node"), serverShape)
    .default({}),
  queryFrom: z.enum(['coordinator', 'any']).default('coordinator'),
  shardReads: z.boolean().default(true),
  refreshMs: z.number().int().min(100).max(3_600_000).default(10_000),
})
