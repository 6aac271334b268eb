import { defineSchema, noTelemetry, type ShardKey, sharded, type Telemetry } from '@shardwright/core'
import { type CitusCluster, citusAvailability, citusFromEnvironment } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Database {
  wallets: { tenant: ShardKey<number>; id: number; balance: number }
  entries: { tenant: ShardKey<number>; id: string; amount: number }
}

const schema = defineSchema<Database>()({ tables: { wallets: sharded('tenant'), entries: sharded('tenant') } })
const tenants = 24
const { available } = await citusAvailability()

describe.skipIf(!available)('shards that Citus moves and splits under load', () => {
  let citus: CitusCluster
  let admin: pg.Client
  let router: ReturnType<typeof createShardRouter<typeof schema>>
  const counted = new Map<string, number>()
  const telemetry: Telemetry = {
    ...noTelemetry,
    count: (name, value) => counted.set(name, (counted.get(name) ?? 0) + value),
  }

  beforeAll(async () => {
    citus = await citusFromEnvironment()
    const database = await citus.createDatabase()
    admin = new pg.Client({ connectionString: database.url })
    await admin.connect()
    await admin.query(`create table wallets (tenant int not null, id int not null, balance int not null, primary key (tenant, id));
      create table entries (tenant int not null, id uuid not null default gen_random_uuid(), amount int not null, primary key (tenant, id));
      select create_distributed_table('wallets', 'tenant', shard_count => 4, colocate_with => 'none');
      select create_distributed_table('entries', 'tenant', colocate_with => 'wallets');
      insert into wallets select t, 1, 0 from generate_series(0, ${tenants - 1}) t`)
    await allowDecoding(admin)
    router = createShardRouter({ schema, topology: { ...database.topologyInput(), refreshMs: 500 }, telemetry })
    await router.ready()
  })

  afterAll(async () => {
    await router?.close()
    await admin?.end()
    await citus?.stop()
  })

  it('gives no wrong answer, loses no write, and asks for no more than a transaction again', async () => {
    const load = new Load(router)
    const running = load.run(6)
    try {
      await moveOneShard(admin, 'block_writes')
      await isolateTenant(admin, 3)
      // By logical replication: writes go on until the last moment.
      await isolateTenantOnline(admin, 5)
      await moveOneShard(admin, 'force_logical')
      await moveOneShard(admin, 'block_writes')
      // The metadata is read anew, and what moved is asked directly again.
      await new Promise((resolve) => setTimeout(resolve, 1_200))
    } finally {
      load.stop()
      await running
    }
    expect(load.faults).toEqual([])
    expect(load.writes).toBeGreaterThan(50)
    const rows = await router.fanOut().selectFrom('wallets').select(['tenant', 'balance']).orderBy('tenant').execute()
    const entries = await router
      .fanOut()
      .selectFrom('entries')
      .select(['tenant', ({ fn }) => fn.sum<string>('amount').as('sum')])
      .groupBy('tenant')
      .orderBy('tenant')
      .execute()
    expect(rows.map(({ balance }) => balance)).toEqual(load.acknowledged)
    expect(entries.map(({ tenant, sum }) => [tenant, Number(sum)])).toEqual(
      load.entered.flatMap((sum, tenant) => (sum > 0 ? [[tenant, sum]] : [])),
    )
    expect(counted.get('shardwright.citus.metadata_changes')).toBeGreaterThan(0)
    console.log(
      `${load.writes} writes, ${load.reads} reads, ${load.again} transactions run again, ` +
        `${counted.get('shardwright.citus.misrouted_statements') ?? 0} statements by way of the node that a shard had left`,
    )
  }, 90_000)
})

/** Adds one to wallets, and knows what each must hold at least and at most at any time. */
class Load {
  readonly acknowledged = new Array<number>(tenants).fill(0)
  readonly entered = new Array<number>(tenants).fill(0)
  readonly faults: string[] = []
  writes = 0
  reads = 0
  again = 0
  readonly #started = new Array<number>(tenants).fill(0)
  readonly #router: ReturnType<typeof createShardRouter<typeof schema>>
  #stopped = false

  constructor(router: ReturnType<typeof createShardRouter<typeof schema>>) {
    this.#router = router
  }

  stop(): void {
    this.#stopped = true
  }

  async run(clients: number): Promise<void> {
    await Promise.all(Array.from({ length: clients }, (_, client) => this.#client(client)))
  }

  async #client(client: number): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      // Every client does something else with a tenant.
      const tenant = (client + turn * 7) % tenants
      try {
        if (turn % 4 === 0) await this.#read(tenant)
        else if (turn % 4 === 1) await this.#add(tenant)
        else if (turn % 4 === 2) await this.#touch(tenant)
        else await this.#transact(tenant)
      } catch (error) {
        const { message, code } = error as { message: string; code?: string }
        this.faults.push(`tenant ${tenant}, turn ${turn % 4}: ${code} ${message}`)
        // Whether it was done is unknown: the ledger would only say so.
        this.#stopped = true
      }
    }
  }

  async #read(tenant: number): Promise<void> {
    const least = this.acknowledged[tenant] as number
    const { balance } = await this.#router.db
      .selectFrom('wallets')
      .select('balance')
      .where('tenant', '=', tenant)
      .executeTakeFirstOrThrow()
    this.reads++
    const most = this.#started[tenant] as number
    if (balance < least || balance > most) this.faults.push(`tenant ${tenant}: ${balance} is not in ${least}..${most}`)
  }

  async #add(tenant: number): Promise<void> {
    this.#started[tenant]!++
    const { numUpdatedRows } = await this.#router.db
      .updateTable('wallets')
      .set({ balance: sql`balance + 1` })
      .where('tenant', '=', tenant)
      .executeTakeFirstOrThrow()
    if (numUpdatedRows !== 1n) this.faults.push(`tenant ${tenant}: ${numUpdatedRows} rows`)
    this.acknowledged[tenant]!++
    this.writes++
  }

  /** Many rows at once: all that were there before, also those that were written a moment ago. */
  async #touch(tenant: number): Promise<void> {
    const least = this.entered[tenant] as number
    const { numUpdatedRows } = await this.#router.db
      .updateTable('entries')
      .set({ amount: sql`amount` })
      .where('tenant', '=', tenant)
      .executeTakeFirstOrThrow()
    const most = this.#started[tenant] as number
    if (numUpdatedRows < least || numUpdatedRows > most)
      this.faults.push(`tenant ${tenant}: ${numUpdatedRows} entries, not ${least}..${most}`)
  }

  /** A transaction that the server rolled back is run again, as any PostgreSQL may ask for. */
  async #transact(tenant: number): Promise<void> {
    this.#started[tenant]!++
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#router
          .for({ tenant })
          .transaction()
          .execute(async (trx) => {
            await trx.updateTable('wallets').set({ balance: sql`balance + 1` }).execute()
            await trx
              .insertInto('entries')
              .values({ tenant, amount: 1 } as never)
              .execute()
          })
        break
      } catch (error) {
        const state = (error as { code?: string }).code ?? ''
        if (attempt === 5 || !/^(40|42P01)/.test(state)) throw error
        this.again++
      }
    }
    this.acknowledged[tenant]!++
    this.entered[tenant]!++
    this.writes++
  }
}

async function moveOneShard(admin: pg.Client, mode: string): Promise<void> {
  const { rows } = await admin.query(
    `select shardid, source.nodename as host, source.nodeport as port, target.nodename as to_host, target.nodeport as to_port
     from pg_dist_shard join pg_dist_placement using (shardid) join pg_dist_node as source using (groupid)
     join pg_dist_node as target on target.groupid <> source.groupid and target.shouldhaveshards
     where logicalrelid = 'wallets'::regclass order by random() limit 1`,
  )
  const { shardid, host, port, to_host, to_port } = rows[0]
  await admin.query('select citus_move_shard_placement($1, $2, $3, $4, $5, $6)', [
    shardid,
    host,
    port,
    to_host,
    to_port,
    mode,
  ])
}

async function isolateTenant(admin: pg.Client, tenant: number): Promise<void> {
  await admin.query("select isolate_tenant_to_new_shard('wallets', $1::int, 'CASCADE', 'block_writes')", [tenant])
}

/**
 * By logical replication, to the other node: where a part stays on its node Citus 13.2 sends it changes without its key
 * and waits for ever, as soon as a row is changed meanwhile.
 */
async function isolateTenantOnline(admin: pg.Client, tenant: number): Promise<void> {
  await admin.query(
    `select citus_split_shard_by_split_points(shardid,
       array(select point::text from unnest(array[hash - 1, hash]) as point
             where point >= shardminvalue::int and point < shardmaxvalue::int),
       array_fill(target.nodeid, array[1 + (hash > shardminvalue::int)::int + (hash < shardmaxvalue::int)::int]),
       'force_logical')
     from hashint4($1) as hash
     join pg_dist_shard on hash between shardminvalue::int and shardmaxvalue::int
     join pg_dist_placement using (shardid)
     join pg_dist_node as target on target.groupid <> pg_dist_placement.groupid and target.shouldhaveshards
     where logicalrelid = 'wallets'::regclass`,
    [tenant],
  )
}

/** Servers that have a list of libraries that may decode their log need Citus' own in it for online splits. */
async function allowDecoding(admin: pg.Client): Promise<void> {
  await admin.query(`select run_command_on_all_nodes($command$ do $do$ begin
    if exists (select from pg_settings where name = 'output_plugin_libraries') then
      execute format('alter database %I set output_plugin_libraries = pgoutput, citus', current_database());
    end if;
  end $do$ $command$)`)
}
