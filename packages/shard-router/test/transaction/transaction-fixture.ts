import { noTelemetry, type Telemetry } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { Aftermath } from '../../src/transaction/aftermath.ts'
import { type AtomicContext, createAtomicContext } from '../../src/transaction/atomic-context.ts'
import type { AtomicOptions } from '../../src/transaction/atomic-options.ts'
import { AtomicTransaction } from '../../src/transaction/atomic-transaction.ts'
import { topologyOf, write } from '../pool/pool-fixture.ts'

/** A bank of one account per shard, for transfers. */
export class Bank {
  readonly pool: ShardPool
  readonly context: AtomicContext
  readonly aftermath = new Aftermath()

  constructor(
    cluster: LocalCluster,
    topologyId: string,
    options: AtomicOptions = {},
    telemetry: Telemetry = noTelemetry,
  ) {
    this.pool = createShardPool(topologyOf(cluster, topologyId))
    this.context = createAtomicContext(this.pool, telemetry, options, false, this.aftermath)
  }

  /** The same pool under other options. */
  begin(settings: ConstructorParameters<typeof AtomicTransaction>[1] = {}, options?: AtomicOptions): AtomicTransaction {
    const context =
      options === undefined ? this.context : createAtomicContext(this.pool, noTelemetry, options, false, this.aftermath)
    return new AtomicTransaction(context, settings)
  }

  async reset(): Promise<void> {
    for (const shard of this.pool.topology.shards.keys()) {
      await this.run(
        shard,
        'drop table if exists account; create table account (id int primary key, balance int not null)',
      )
      await this.run(shard, 'insert into account values (1, 100)')
    }
  }

  async run(shard: number, sql: string): Promise<readonly unknown[]> {
    const lease = await this.pool.lease(shard)
    try {
      return (await lease.execute(write(sql))).rows
    } finally {
      lease.release()
    }
  }

  async balances(): Promise<number[]> {
    const all: number[] = []
    for (const shard of this.pool.topology.shards.keys()) {
      const [row] = await this.run(shard, 'select balance from account where id = 1')
      all.push((row as { balance: number }).balance)
    }
    return all
  }

  /** Prepared transactions of all databases of all servers. */
  async prepared(): Promise<string[]> {
    const all: string[] = []
    for (const shard of this.pool.topology.shards.keys()) {
      const rows = await this.run(shard, 'select gid from pg_prepared_xacts where database = current_database()')
      all.push(...(rows as { gid: string }[]).map((row) => row.gid))
    }
    return all
  }

  close(): Promise<void> {
    this.aftermath.end()
    return this.pool.close()
  }
}

export function add(amount: number) {
  return write('update account set balance = balance + $1 where id = 1', amount)
}
