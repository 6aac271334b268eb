import { z } from 'zod'

/** The form of `ServerInput`. */
export const serverShape = z.union([
  z.string(),
  z.strictObject({
    url: z.string(),
    directUrl: z.string().optional(),
    pooler: z.enum(['direct', 'pgbouncer-session', 'pgbouncer-transaction']).optional(),
    preparedStatements: z.boolean().optional(),
    weight: z.number().positive().optional(),
  }),
])

/** The form of a topology's or shard's id. */
export const idShape = z.string().min(1).max(63)
const bucketShape = z.number().int()

/** The form of `TopologyInput`, before anything is checked across fields. */
export const topologyShape = z.strictObject({
  engine: z.literal('hash').optional(),
  id: idShape.default('default'),
  epoch: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(1),
  hash: z.enum(['postgres', 'murmur3']),
  buckets: z.number().default(1024),
  shards: z.array(z.strictObject({ id: idShape, primary: serverShape, replicas: z.array(serverShape).default([]) })),
  bucketMap: z
    .union([z.array(z.string()), z.array(z.strictObject({ from: bucketShape, to: bucketShape, shard: z.string() }))])
    .optional(),
  pins: z
    .array(
      z.strictObject({
        family: z.string().min(1),
        key: z.union([z.string(), z.bigint(), z.number().int()]),
        shard: z.string(),
      }),
    )
    .default([]),
})

/** A topology's input with its defaults. */
export type TopologyFields = z.output<typeof topologyShape>
