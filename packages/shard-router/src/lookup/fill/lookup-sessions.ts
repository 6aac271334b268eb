import {
  canonicalKey,
  type Fleet,
  type FleetConnection,
  inspectKeysOfFleet,
  type KeyType,
  type Lookup,
  locate,
  type Schema,
  type Topology,
} from '@shardwright/core'
import { type LookupRow, type LookupShape, readShape } from './lookup-shape.ts'

/** What work on the lookups of a fleet is given. */
export interface LookupWork {
  readonly fleet: Fleet
  readonly schema: Schema
  readonly topology: Topology
  /** Names of the lookups. Default: all of the schema. */
  readonly lookups?: readonly string[] | undefined
  /** Rows that are held and written at a time. Default: 500. */
  readonly batchSize?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The sessions of one shard: one holds rows, the other writes entries. */
export interface ShardSessions {
  readonly shard: string
  readonly rows: FleetConnection
  readonly entries: FleetConnection
}

// As the lookup's triggers have it, so that the text of a value is the same.
const settingsSql = `set "TimeZone" = 'UTC'; set "DateStyle" = 'ISO, MDY'; set extra_float_digits = 1; set lock_timeout = '2s'`

/** Two sessions on each shard, and the shapes of the lookups that were asked for. */
export class LookupSessions implements AsyncDisposable {
  readonly shards: readonly ShardSessions[]
  readonly shapes: readonly LookupShape[]
  readonly #topology: Topology

  private constructor(shards: readonly ShardSessions[], shapes: readonly LookupShape[], topology: Topology) {
    this.shards = shards
    this.shapes = shapes
    this.#topology = topology
  }

  static async open({ fleet, schema, topology, lookups, signal }: LookupWork): Promise<LookupSessions> {
    const wanted = schema.lookups.filter(({ name }) => lookups === undefined || lookups.includes(name))
    const { byFamily } = await inspectKeysOfFleet(fleet, schema)
    const options = { applicationName: 'shardwright lookups', ...(signal ? { signal } : {}) }
    const shards: ShardSessions[] = []
    const open = async (id: string): Promise<FleetConnection> => {
      const connection = await fleet.shards.find((shard) => shard.id === id)!.connect(options)
      await connection.script(settingsSql)
      return connection
    }
    try {
      for (const { id } of topology.shards) shards.push({ shard: id, rows: await open(id), entries: await open(id) })
      const first = (shards[0] as ShardSessions).rows
      const shapes = await shapesOf(first, wanted, byFamily)
      return new LookupSessions(shards, shapes, topology)
    } catch (error) {
      await release(shards)
      throw error
    }
  }

  /** The shard that holds the entry of a value. */
  entriesOf({ lookup, valueHash }: LookupShape, { value }: LookupRow): ShardSessions {
    return this.#at(lookup.entries.family, valueHash, value)
  }

  /** The shard that holds the rows of a key. */
  rowsOf({ lookup, keyHash }: LookupShape, { key }: LookupRow): ShardSessions {
    return this.#at(lookup.table.family, keyHash, key)
  }

  #at(family: string, type: KeyType, value: string): ShardSessions {
    const { shard } = locate(this.#topology, { family, type, value: canonicalKey(type, value) })
    return this.shards[shard] as ShardSessions
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await release(this.shards)
  }
}

async function shapesOf(
  connection: FleetConnection,
  lookups: readonly Lookup[],
  types: ReadonlyMap<string, KeyType>,
): Promise<readonly LookupShape[]> {
  const shapes: LookupShape[] = []
  for (const lookup of lookups) shapes.push(await readShape(connection, lookup, types))
  return shapes
}

async function release(shards: readonly ShardSessions[]): Promise<void> {
  await Promise.allSettled(shards.flatMap(({ rows, entries }) => [rows.release(), entries.release()]))
}

/** Rows by the shard that `at` names for each. */
export function byShard<Row>(rows: readonly Row[], at: (row: Row) => ShardSessions): ReadonlyMap<ShardSessions, Row[]> {
  const groups = new Map<ShardSessions, Row[]>()
  for (const row of rows) {
    const sessions = at(row)
    const group = groups.get(sessions)
    if (group) group.push(row)
    else groups.set(sessions, [row])
  }
  return groups
}
