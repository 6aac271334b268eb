import { createFleet, defineTopology, type Fleet, locate } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import { installLookups, recoverTransactions } from '@shardwright/shard-router'
import pg from 'pg'
import { LookupAudit } from './lookup-audit.ts'
import { bankSchema, bankSql, legs, type TopologyInputLike } from './shapes.ts'

const accountsInAll = 40
const openingBalance = 1_000

/** What the processes said about each transfer. */
export class Ledger {
  readonly acknowledged = new Set<string>()
  readonly refused = new Map<string, string>()
  readonly inDoubt = new Map<string, string>()
}

/** Accounts on all shards, and what must be true of them. */
export class Bank {
  readonly topology: TopologyInputLike
  readonly fleet: Fleet
  readonly accounts: readonly (readonly number[])[]

  constructor(cluster: LocalCluster) {
    this.topology = { id: 'bank', hash: 'postgres', ...cluster.topologyInput() }
    const topology = defineTopology(this.topology)
    this.fleet = createFleet({
      topologyId: 'bank',
      shards: cluster.shards.map(({ id, url }) => ({ id, url })),
      Client: pg.Client as never,
    })
    const accounts: number[][] = cluster.shards.map(() => [])
    for (let id = 1; id <= accountsInAll; id++) {
      accounts[locate(topology, { family: 'id', type: 'int4', value: id }).shard]!.push(id)
    }
    this.accounts = accounts
  }

  async open(): Promise<void> {
    for (const [index, shard] of this.fleet.shards.entries()) {
      await using connection = await shard.connect()
      await connection.script(bankSql)
      await connection.query('insert into account select unnest($1::int[]), $2', [this.accounts[index], openingBalance])
    }
    await installLookups({ fleet: this.fleet, schema: bankSchema })
  }

  /** Recovery until nothing is left, then every promise. Returns what is broken. */
  async audit(ledger: Ledger): Promise<string[]> {
    let prepared = await this.prepared()
    let recovered = 0
    for (let run = 0; run < 50 && (run === 0 || prepared > 0); run++) {
      recovered += (await recoverTransactions(this.fleet, { graceMs: 0 })).recovered.length
      prepared = await this.prepared()
    }
    this.recovered += recovered
    const broken: string[] = []
    if (prepared > 0) broken.push(`${prepared} prepared transactions remain`)
    const { sum, found } = await this.read()
    if (sum !== accountsInAll * openingBalance) broken.push(`the sum is ${sum}, not ${accountsInAll * openingBalance}`)
    for (const [id, count] of found) if (count !== legs) broken.push(`transfer ${id} has ${count} of ${legs} legs`)
    for (const id of ledger.acknowledged)
      if (!found.has(id)) broken.push(`transfer ${id} was acknowledged and is not there`)
    for (const [id, code] of ledger.refused)
      if (found.has(id)) broken.push(`transfer ${id} was refused (${code}) and is there`)
    const lookups = await new LookupAudit(this.fleet, this.topology).run()
    this.entries += lookups.entries
    for (const transfer of lookups.transfers)
      if (!found.has(transfer)) broken.push(`a card of transfer ${transfer}, which is not there`)
    return [...broken, ...lookups.broken]
  }

  recovered = 0
  /** Entries of lookups that were compared with their rows. */
  entries = 0

  async prepared(): Promise<number> {
    let count = 0
    for (const shard of this.fleet.shards) {
      await using connection = await shard.connect()
      const { rows } = await connection.query<{ n: number }>('select count(*)::int as n from pg_prepared_xacts')
      count += rows[0]!.n
    }
    return count
  }

  async read(): Promise<{ sum: number; found: Map<string, number> }> {
    let sum = 0
    const found = new Map<string, number>()
    for (const shard of this.fleet.shards) {
      await using connection = await shard.connect()
      const balances = await connection.query<{ sum: number }>('select sum(balance)::int as sum from account')
      sum += balances.rows[0]!.sum
      const { rows } = await connection.query<{ id: string }>('select id from transfer')
      for (const { id } of rows) found.set(id, (found.get(id) ?? 0) + 1)
    }
    return { sum, found }
  }
}
