import { type Fleet, type FleetShard, type Schema, ShardwrightError } from '@shardwright/core'
import { DriftError } from '../errors/drift-error.ts'
import { inParallel } from '../run/in-parallel.ts'
import { compareSchemas, type Difference } from './compare-schemas.ts'
import { readSchemaSnapshot, type SchemaSnapshot } from './schema-snapshot.ts'
import { singlesElsewhere, withoutTables } from './without-tables.ts'

export interface DriftOptions {
  /** What the shards should look like; by default the first shard that answers. */
  readonly reference?: SchemaSnapshot | undefined
  /** Tables that the schema places on a single shard are expected there only. */
  readonly schema?: Schema | undefined
  /** How many shards are read at once. Default 8. */
  readonly concurrency?: number | undefined
}

/** How the shards differ; empty `shards[].differences` everywhere means that they do not. */
export interface DriftReport {
  /** `snapshot`, or the id of the shard that the others were compared with. */
  readonly reference: string
  readonly shards: readonly ShardDrift[]
  readonly drifted: boolean
}

export interface ShardDrift {
  readonly shard: string
  readonly differences: readonly Difference[]
  /** The shard did not answer: nothing is known of it. */
  readonly error: ShardwrightError | undefined
}

/**
 * Compares the schema of every shard with the first one, or with a committed snapshot. Changes nothing.
 *
 * @throws DriftError FLEET_INCOMPLETE when no shard answers
 * @example
 * const drift = await findDrift(router.fleet, { schema })
 * for (const { shard, differences } of drift.shards) for (const d of differences) console.log(shard, d.kind, d.object, d.sql)
 */
export async function findDrift(fleet: Fleet, options: DriftOptions = {}): Promise<DriftReport> {
  const readings = await inParallel(fleet.shards, options.concurrency ?? 8, readShard)
  const first = readings.find((reading) => reading.snapshot)
  const reference = options.reference ?? first?.snapshot
  if (!reference) throw nobodyAnswers(readings[0]?.error)
  const shards = readings.map((reading): ShardDrift => {
    const { shard, snapshot, error } = reading
    if (!snapshot || snapshot === reference) return Object.freeze({ shard, differences: [], error })
    const sides = options.reference ? [shard] : [shard, first?.shard ?? shard]
    const elsewhere = singlesElsewhere(options.schema, sides)
    const differences = compareSchemas(withoutTables(reference, elsewhere), withoutTables(snapshot, elsewhere))
    return Object.freeze({ shard, differences, error })
  })
  return Object.freeze({
    reference: options.reference ? 'snapshot' : (first?.shard ?? ''),
    shards,
    drifted: shards.some((shard) => shard.differences.length > 0 || shard.error !== undefined),
  })
}

interface Reading {
  readonly shard: string
  readonly snapshot?: SchemaSnapshot
  readonly error?: ShardwrightError
}

async function readShard(shard: FleetShard): Promise<Reading> {
  try {
    await using connection = await shard.connect({ applicationName: 'shardwright-drift' })
    return { shard: shard.id, snapshot: await readSchemaSnapshot(connection) }
  } catch (error) {
    return { shard: shard.id, error: asShardwrightError(shard.id, error) }
  }
}

function asShardwrightError(shard: string, error: unknown): ShardwrightError {
  if (error instanceof ShardwrightError) return error
  return new DriftError({
    code: 'FLEET_INCOMPLETE',
    message: `The schema of ${shard} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'Check the shard and the rights of the user.',
    details: { shard },
    cause: error,
  })
}

function nobodyAnswers(cause: unknown): DriftError {
  return new DriftError({
    code: 'FLEET_INCOMPLETE',
    message: 'No shard answers, so there is no schema to compare with.',
    hint: 'Check the URLs of the shards.',
    cause,
  })
}
