import type { KeyTypes } from '@shardwright/core'
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
}

/** Looks at one side of the fleet; an exception becomes a symptom of its own. */
export interface Check {
  readonly name: string
  readonly run: (patient: Patient) => Promise<readonly Symptom[]>
}

/** Runs `look` on every shard and puts the answers together. */
export async function onEveryShard(
  { fleet }: OpenedConfig,
  look: (
    connection: Awaited<ReturnType<OpenedConfig['fleet']['shards'][number]['connect']>>,
  ) => Promise<readonly Symptom[]>,
): Promise<readonly Symptom[]> {
  const found = await Promise.all(
    fleet.shards.map(async (shard) => {
      await using connection = await shard.connect({ applicationName: 'shardwright-doctor' })
      return await look(connection)
    }),
  )
  return found.flat()
}
