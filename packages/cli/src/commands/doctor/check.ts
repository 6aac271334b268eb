import type { Fleet, FleetShard, KeyTypes } from '@shardwright/core'
import type { OpenedConfig } from '../../run/command.ts'

/** One thing that is not as it should be. */
export interface Symptom {
  readonly check: string
  readonly severity: 'error' | 'warning' | 'advice'
  /** Undefined when it is about the fleet. */
  readonly shard?: string | undefined
  readonly message: string
  readonly remedy: string
}

export interface Patient extends OpenedConfig {
  /** Undefined when the key columns could not be read. */
  readonly keys: KeyTypes | undefined
  /** It is the cluster of `shardwright dev`, whose data goes with it. */
  readonly local: boolean
}

/** Looks at one side of the fleet; an exception becomes a symptom of its own. */
export interface Check {
  readonly name: string
  readonly run: (patient: Patient) => Promise<readonly Symptom[]>
  /** Why there is nothing to look at, so that no finding is not taken for a good one; undefined when there is. */
  readonly unseen?: (patient: Patient) => Promise<string | undefined>
}

type ShardLook = (
  connection: Awaited<ReturnType<OpenedConfig['fleet']['shards'][number]['connect']>>,
) => Promise<readonly Symptom[]>

/** Runs `look` on every shard and puts the answers together; a shard that cannot be looked at hides no other. */
export async function onEveryShard(
  { fleet }: OpenedConfig,
  check: string,
  look: ShardLook,
): Promise<readonly Symptom[]> {
  return await eachShard(fleet, check, async (shard) => {
    await using connection = await shard.connect({ applicationName: 'shardwright-doctor' })
    return await look(connection)
  })
}

export async function eachShard(
  fleet: Fleet,
  check: string,
  look: (shard: FleetShard) => Promise<readonly Symptom[]>,
): Promise<readonly Symptom[]> {
  const found = await Promise.all(
    fleet.shards.map(async (shard) => {
      try {
        return await look(shard)
      } catch (error) {
        return [notMade(check, error, shard.id)]
      }
    }),
  )
  return found.flat()
}

/** A check that failed is a symptom of its own. */
export function notMade(check: string, error: unknown, shard?: string): Symptom {
  return {
    check,
    severity: 'error',
    shard,
    message: `the check could not be made: ${error instanceof Error ? error.message : String(error)}`,
    remedy: 'Mend that first, then run the doctor again.',
  }
}
