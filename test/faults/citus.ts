import { noTelemetry, type Telemetry } from '@shardwright/core'
import { citusAvailability, citusFromEnvironment } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import pg from 'pg'
import { randomOf } from './cache/random.ts'
import { Load, schema, tenants } from './citus/load.ts'
import { allowDecoding, isolateTenant, isolateTenantOnline, moveOneShard } from './citus/moves.ts'

/*
 * Readers and writers of all tenants while Citus moves and splits their shards. Each client knows what an answer may be at
 * least and at most, and the acknowledged writes are held against what is stored at the end.
 */

export interface CitusFaultOptions {
  readonly seed: number
  /** Default: each kind of move once. */
  readonly minutes?: number
  readonly print?: (line: string) => void
}

export interface CitusFaultReport {
  readonly writes: number
  readonly reads: number
  /** Transactions that the server asked for again. */
  readonly again: number
  readonly misrouted: number
  /** Statements whose shard a node did not have any more. */
  readonly inDoubt: number
  readonly metadataChanges: number
  readonly problems: readonly string[]
}

/** Runs the suite on the cluster of CITUS_URL, or in containers. */
export async function runCitusFaults({ seed, minutes, print }: CitusFaultOptions): Promise<CitusFaultReport> {
  const random = randomOf(seed)
  const counted = new Map<string, number>()
  const telemetry: Telemetry = {
    ...noTelemetry,
    count: (name, value) => counted.set(name, (counted.get(name) ?? 0) + value),
  }
  await using citus = await citusFromEnvironment()
  const database = await citus.createDatabase()
  const admin = new pg.Client({ connectionString: database.url })
  await admin.connect()
  await using _ended = { [Symbol.asyncDispose]: () => admin.end() }
  await admin.query(createTables)
  await allowDecoding(admin)
  const topology = { ...database.topologyInput(), refreshMs: 500 }
  await using router = createShardRouter({ schema, topology, telemetry })
  await router.ready()
  const load = new Load(router)
  const running = load.run(6)
  const end = performance.now() + (minutes ?? 0) * 60_000
  const unsplit = Array.from({ length: tenants }, (_, tenant) => tenant)
  const isolatable = () => unsplit.splice(Math.floor(random() * unsplit.length), 1)
  try {
    do {
      await moveOneShard(admin, 'block_writes')
      for (const tenant of isolatable()) await isolateTenant(admin, tenant)
      // By logical replication: writes go on until the last moment.
      for (const tenant of isolatable()) await isolateTenantOnline(admin, tenant)
      await moveOneShard(admin, 'force_logical')
      print?.(`moved and split: ${load.writes} writes, ${load.reads} reads`)
    } while (performance.now() < end && load.faults.length === 0)
    await moveOneShard(admin, 'block_writes')
    // The metadata is read anew, and what moved is asked directly again.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
  } finally {
    load.stop()
    await running
  }
  const problems = [...load.faults, ...(await stored(router, load))]
  return {
    writes: load.writes,
    reads: load.reads,
    again: load.again,
    misrouted: counted.get('shardwright.citus.misrouted_statements') ?? 0,
    inDoubt: counted.get('shardwright.citus.shards_in_doubt') ?? 0,
    metadataChanges: counted.get('shardwright.citus.metadata_changes') ?? 0,
    problems,
  }
}

const createTables = `
  create table wallets (tenant int not null, id int not null, balance int not null, primary key (tenant, id));
  create table entries (tenant int not null, id uuid not null default gen_random_uuid(), amount int not null, primary key (tenant, id));
  select create_distributed_table('wallets', 'tenant', shard_count => 4, colocate_with => 'none');
  select create_distributed_table('entries', 'tenant', colocate_with => 'wallets');
  insert into wallets select t, 1, 0 from generate_series(0, ${tenants - 1}) t`

/** What was acknowledged and is not there, or is there and was not. */
async function stored(router: ConstructorParameters<typeof Load>[0], load: Load): Promise<string[]> {
  const wallets = await router.fanOut().selectFrom('wallets').select(['tenant', 'balance']).execute()
  const entries = await router
    .fanOut()
    .selectFrom('entries')
    .select(['tenant', ({ fn }) => fn.sum<string>('amount').as('sum')])
    .groupBy('tenant')
    .execute()
  const problems: string[] = []
  for (let tenant = 0; tenant < tenants; tenant++) {
    const balance = wallets.find((wallet) => wallet.tenant === tenant)?.balance
    const sum = Number(entries.find((entry) => entry.tenant === tenant)?.sum ?? 0)
    if (balance !== load.acknowledged[tenant])
      problems.push(`tenant ${tenant} holds ${balance}, and ${load.acknowledged[tenant]} were acknowledged`)
    if (sum !== load.entered[tenant])
      problems.push(`tenant ${tenant} has ${sum} entries, and ${load.entered[tenant]} were acknowledged`)
  }
  return problems
}

/** True where there is no Citus: why was printed. */
export async function run(options: CitusFaultOptions): Promise<boolean> {
  const print = options.print ?? ((line: string) => console.log(line))
  const { available, reason } = await citusAvailability()
  if (!available) {
    print(`citus: skipped, ${reason}`)
    return true
  }
  const { problems, ...counts } = await runCitusFaults({ ...options, print })
  print(JSON.stringify(counts))
  for (const problem of problems) print(`PROBLEM ${problem}`)
  return problems.length === 0
}
