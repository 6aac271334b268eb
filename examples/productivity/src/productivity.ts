import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { assertComplete, createMigrator } from '@shardwright/migrator'
import { createShardRouter, type ShardRouter } from '@shardwright/shard-router'
import { createViewManager, type ViewManager } from '@shardwright/view-manager'
import { types } from 'pg'
import { migrations } from './schema/migrations.ts'
import { type ProductivitySchema, schema } from './schema/schema.ts'
import { userStats } from './schema/views.ts'

const dateOid = 1082

/** Four shards with a replica, the router over them, and the view on them. */
export class Productivity implements AsyncDisposable {
  readonly cluster: LocalCluster
  readonly router: ShardRouter<ProductivitySchema>
  readonly views: ViewManager

  constructor(cluster: LocalCluster) {
    this.cluster = cluster
    this.router = createShardRouter({
      schema,
      // The hash of services that shard already; new ones take 'postgres'.
      topology: { id: 'productivity', hash: 'murmur3', ...cluster.topologyInput() },
      pool: {
        replicas: { reads: 'replica' },
        types: {
          // A date stays a text: as a Date it would be another day in another time zone.
          getTypeParser: (oid, format) =>
            oid === dateOid ? (text: string) => text : types.getTypeParser(oid, format as 'text'),
        },
      },
    })
    this.views = createViewManager({ fleet: this.router.fleet, schema, views: [userStats] })
  }

  /** Migrations and the view: each step can be run again. */
  async prepare(): Promise<void> {
    const { fleet, topology } = this.router
    assertComplete(await createMigrator({ fleet, migrations, schema, topology }).up())
    await this.views.install()
    await this.views.refresh()
    await this.router.ready()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.router.close()
    await this.cluster.stop()
  }
}

/** Starts four shards and their replica on this machine and prepares them. */
export async function startProductivity(): Promise<Productivity> {
  const cluster = await startLocalCluster({ shards: 4, databasePerShard: true, replicasPerShard: 1 })
  try {
    const productivity = new Productivity(cluster)
    await productivity.prepare()
    return productivity
  } catch (error) {
    await cluster.stop()
    throw error
  }
}
