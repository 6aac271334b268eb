import { inspectUniques } from '@shardwright/core'
import { type Check, onEveryShard, type Symptom } from './check.ts'

/** Unique indexes that hold per shard only, and lookups that are not there or not filled. */
export const lookupsCheck: Check = {
  name: 'lookups',
  run: async (patient) => {
    const { fleet, schema } = patient
    const [first] = fleet.shards
    if (!first) return []
    await using connection = await first.connect({ applicationName: 'shardwright-doctor' })
    const warnings = fleet.shards.length > 1 ? await inspectUniques(connection, schema) : []
    const uniques = warnings.map(
      ({ message, hint }): Symptom => ({ check: 'lookups', severity: 'warning', message, remedy: hint }),
    )
    if (schema.lookups.length === 0) return uniques
    const states = await onEveryShard(patient, 'lookups', async (shard) => {
      const there = await shard.query<{ there: boolean }>(
        `select pg_catalog.to_regclass('shardwright.lookup') is not null as there`,
      )
      const { rows } = there.rows[0]?.there
        ? await shard.query<{ name: string; state: string }>('select name, state from shardwright.lookup')
        : { rows: [] }
      return schema.lookups.flatMap(({ name }) =>
        stateSymptom(shard.shardId, name, rows.find((row) => row.name === name)?.state),
      )
    })
    return [...uniques, ...states]
  },
}

function stateSymptom(shard: string, lookup: string, state: string | undefined): readonly Symptom[] {
  if (state === 'ready') return []
  return [
    state === undefined
      ? {
          check: 'lookups',
          severity: 'error',
          shard,
          message: `the lookup ${lookup} of the schema does not exist`,
          remedy: 'createLookupTable in a migration',
        }
      : {
          check: 'lookups',
          severity: 'warning',
          shard,
          message: `the lookup ${lookup} is not filled (${state}): routers ask every shard instead`,
          remedy: `shardwright lookups backfill ${lookup}`,
        },
  ]
}
