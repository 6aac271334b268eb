import { z } from 'zod'

const url = z.union([z.string().min(1), z.strictObject({ env: z.string().min(1) })])
const server = z.union([
  url,
  z.strictObject({
    url,
    directUrl: url.optional(),
    pooler: z.enum(['direct', 'pgbouncer-session', 'pgbouncer-transaction']).optional(),
  }),
])
const bytes = z.number().positive()
const milliseconds = z.int().min(0)

/** The form of the configuration; `defineTopology` checks the topology itself once its URLs are known. */
export const configShape = z.strictObject({
  schema: z.custom(
    (value) => typeof value === 'object' && value !== null && 'families' in value,
    'make it with defineSchema',
  ),
  topology: z.union([
    z.looseObject({ engine: z.literal('citus'), coordinator: server, nodes: z.record(z.string(), server).optional() }),
    z.looseObject({
      shards: z
        .array(z.strictObject({ id: z.string().min(1), primary: server, replicas: z.array(server).optional() }))
        .min(1),
    }),
  ]),
  migrations: z
    .strictObject({
      folder: z.string().min(1).optional(),
      lockTimeoutMs: milliseconds.optional(),
      lockRetries: milliseconds.optional(),
      statementTimeoutMs: milliseconds.optional(),
    })
    .optional(),
  partitions: z
    .array(z.custom((value) => typeof value === 'object' && value !== null, 'make it with definePartitions'))
    .optional(),
  views: z
    .array(
      z.custom(
        (value) => value !== null && typeof value === 'object' && 'kind' in value,
        'make it with defineView or defineRollup',
      ),
    )
    .optional(),
  machines: z
    .record(
      z.string(),
      z.strictObject({
        diskBytes: bytes.optional(),
        tablespaceBytes: z.record(z.string(), bytes).optional(),
        memoryBytes: bytes.optional(),
        cpus: z.number().positive().optional(),
      }),
    )
    .optional(),
  seed: z.string().min(1).optional(),
})
