import { SchemaError } from '../errors/schema-error.ts'
import { TopologyError } from '../errors/topology-error.ts'
import type { Schema } from '../schema/schema.ts'
import type { Topology } from './topology.ts'

/**
 * Checks what schema and topology say about one another: single tables are on shards that exist, pins name families
 * that exist.
 * @throws SchemaError UNKNOWN_SHARD_IN_SCHEMA; TopologyError UNKNOWN_PIN_FAMILY
 * @example
 * assertTopologyFits(schema, topology)
 */
export function assertTopologyFits(schema: Schema, topology: Topology): void {
  for (const table of schema.tables) {
    if (table.kind !== 'single' || topology.shards.some(({ id }) => id === table.shard)) continue
    throw new SchemaError({
      code: 'UNKNOWN_SHARD_IN_SCHEMA',
      message: `Table '${table.name}' is placed on shard '${table.shard}', which the topology does not have.`,
      hint: `The shards are: ${topology.shards.map(({ id }) => id).join(', ')}.`,
      details: { table: table.name, shard: table.shard },
    })
  }
  for (const { family, shard } of topology.pins) {
    if (schema.families.has(family)) continue
    throw new TopologyError({
      code: 'UNKNOWN_PIN_FAMILY',
      message: `A pin to shard '${shard}' names key family '${family}', which the schema does not have.`,
      hint: `The families are: ${[...schema.families.keys()].join(', ')}.`,
      details: { family, shard },
    })
  }
}
