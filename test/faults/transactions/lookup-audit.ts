import { defineTopology, type Fleet, type Lookup, locate, type Topology } from '@shardwright/core'
import { verifyLookups } from '@shardwright/shard-router'
import { bankSchema, type TopologyInputLike } from './shapes.ts'

interface Place {
  readonly value: string
  readonly key: string
  readonly shard: number
}

export interface LookupFindings {
  readonly broken: readonly string[]
  readonly entries: number
  /** Ids of the transfers that the cards name. */
  readonly transfers: readonly string[]
}

/** Every row has its entry, every entry its row, on the shard of its value; no value stands twice. */
export class LookupAudit {
  readonly #fleet: Fleet
  readonly #topology: Topology
  readonly #broken: string[] = []

  constructor(fleet: Fleet, topology: TopologyInputLike) {
    this.#fleet = fleet
    this.#topology = defineTopology(topology)
  }

  async run(): Promise<LookupFindings> {
    let entries = 0
    for (const lookup of bankSchema.lookups) entries += await this.#compare(lookup)
    const work = { fleet: this.#fleet, schema: bankSchema, topology: this.#topology }
    for (const { lookup, missing, stale, duplicates } of await verifyLookups(work)) {
      const count = missing + stale + duplicates.length
      if (count > 0)
        this.#broken.push(`verify finds ${missing} missing, ${stale} stale, ${duplicates.length} double in ${lookup}`)
    }
    const cards = await this.#read<{ id: string }>('select id from card')
    return { broken: this.#broken, entries, transfers: cards.map(({ id }) => id) }
  }

  /** Without the router's own eyes. */
  async #compare({ name, table, column, entries }: Lookup): Promise<number> {
    const columns = `${column} as value, ${table.key}::text as key`
    const rows = await this.#read<Place>(`select ${columns} from ${table.table} where ${column} is not null`)
    const found = await this.#read<Place>(`select ${columns} from ${entries.table}`)
    const lines = (places: readonly Place[]) => new Set(places.map(({ value, key }) => `${value} -> ${key}`))
    const [owned, told] = [lines(rows), lines(found)]
    for (const line of owned) if (!told.has(line)) this.#broken.push(`${name} has no entry for ${line}`)
    for (const line of told) if (!owned.has(line)) this.#broken.push(`${name} has an entry without a row: ${line}`)
    if (new Set(rows.map(({ value }) => value)).size < rows.length)
      this.#broken.push(`${name}: a value stands in two rows`)
    if (told.size < found.length) this.#broken.push(`${name}: an entry stands twice`)
    for (const { value, shard } of found) {
      if (locate(this.#topology, { family: name, type: 'text', value }).shard !== shard) {
        this.#broken.push(`${name}: the entry of ${value} is on shard ${shard}`)
      }
    }
    return found.length
  }

  async #read<Row extends object>(sql: string): Promise<(Row & { readonly shard: number })[]> {
    const all: (Row & { shard: number })[] = []
    for (const [shard, server] of this.#fleet.shards.entries()) {
      await using connection = await server.connect()
      const { rows } = await connection.query<Row>(sql)
      all.push(...rows.map((row) => ({ ...row, shard })))
    }
    return all
  }
}
