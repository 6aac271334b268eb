import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { assertComplete, createMigrator } from '@shardwright/migrator'
import { maintain, printReport } from '@shardwright/partition-manager'
import { createShardRouter, type ShardRouter } from '@shardwright/shard-router'
import { createViewManager, type RefreshReport, type ViewManager } from '@shardwright/view-manager'
import { migrations } from './schema/migrations.ts'
import { monthlyPartitions } from './schema/partitions.ts'
import { type FinanceSchema, schema } from './schema/schema.ts'
import { budgetUtilization, monthlySpendingSummary } from './schema/views.ts'

/** The shards, the router over them, and the views on them. */
export class Finance implements AsyncDisposable {
  readonly router: ShardRouter<FinanceSchema>
  readonly views: ViewManager
  readonly #cluster: LocalCluster

  constructor(cluster: LocalCluster) {
    this.#cluster = cluster
    this.router = createShardRouter({
      schema,
      topology: { id: 'finance', hash: 'postgres', ...cluster.topologyInput() },
    })
    this.views = createViewManager({
      fleet: this.router.fleet,
      schema,
      views: [budgetUtilization, monthlySpendingSummary],
    })
  }

  /** Migrations, partitions, views: each step can be run again. */
  async prepare(now: Date): Promise<void> {
    const { fleet, topology } = this.router
    assertComplete(await createMigrator({ fleet, migrations, schema, topology }).up())
    const report = await maintain(fleet, [monthlyPartitions(now)])
    if (report.exitCode !== 0) throw new Error(`The partitions are not all there:\n${printReport(report)}`)
    await this.views.install()
    await this.refresh()
    await this.router.ready()
  }

  /** Refreshes the views on every shard; throws when one of them could not be. */
  async refresh(): Promise<readonly RefreshReport[]> {
    const reports = await this.views.refresh()
    const failed = reports.find(({ outcome }) => outcome === 'failed')
    if (failed) throw new Error(`${failed.view} on ${failed.shard}: ${failed.failure?.message}`)
    return reports
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.router.close()
    await this.#cluster.stop()
  }
}

/** Starts two shards on this machine and prepares them. */
export async function startFinance(): Promise<Finance> {
  const cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  try {
    const finance = new Finance(cluster)
    await finance.prepare(new Date())
    return finance
  } catch (error) {
    await cluster.stop()
    throw error
  }
}
