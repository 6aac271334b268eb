import { citusAvailability } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { schema } from '../router/festival-fixture.ts'
import { type FestivalCluster, onServer, type routerOn, startFestivalCluster } from './cluster-fixture.ts'

const { available } = await citusAvailability()
type Router = ReturnType<typeof routerOn>

/** Where the shard of tickets with user 7 is. */
const placeSql = `from pg_dist_placement join pg_dist_node using (groupid)
  where shardid = get_shard_id_for_distribution_column('tickets', 7)`

describe.skipIf(!available)("reads from a shard's own table", () => {
  let cluster: FestivalCluster
  const open = (more: object = {}) =>
    createShardRouter({ schema, topology: { ...cluster.database.topologyInput(), refreshMs: 3_600_000, ...more } })

  beforeAll(async () => {
    cluster = await startFestivalCluster()
    for (const statement of [
      "insert into tickets select 7, id, nullif('f' || id, 'f3') from generate_series(1, 5) as id",
      'alter table tickets add column gone int, add column last int default 4',
      'alter table tickets drop column gone',
    ]) {
      await onServer(cluster.database.url, statement)
    }
  }, 60_000)
  afterAll(async () => await cluster?.[Symbol.asyncDispose]())

  /** How many of the node's sessions had a statement on the shard's own table last. */
  async function readers(): Promise<number> {
    const [place] = await onServer(
      cluster.database.url,
      `select shardid, nodename || ':' || nodeport as node ${placeSql}`,
    )
    const [found] = await onServer(
      cluster.database.nodes[String(place?.node)] as string,
      `select count(*)::int as n from pg_stat_activity
       where datname = current_database() and query like 'select%"tickets_${place?.shardid}"%pg_dist_placement%'`,
    )
    return Number(found?.n)
  }

  const seven = (router: Router) => router.db.selectFrom('tickets').where('user_id', '=', 7)
  const shapes: readonly (readonly [string, (router: Router) => { execute(): Promise<unknown[]> }])[] = [
    ['all columns', (router) => seven(router).selectAll().orderBy('id')],
    [
      'an alias',
      (router) => router.db.selectFrom('tickets as t').select(['t.id as n']).where('t.user_id', '=', 7).orderBy('t.id'),
    ],
    [
      'names with their schema',
      (router) =>
        router.db
          .withSchema('public')
          .selectFrom('tickets')
          .select('tickets.id')
          .where('tickets.user_id', '=', 7)
          .orderBy('tickets.id'),
    ],
    [
      'a list, and NULL',
      (router) =>
        seven(router)
          .select('id')
          .where((is) => is.or([is('id', 'in', [1, 2]), is('festival', 'is', null)]))
          .orderBy('id', 'desc'),
    ],
    ['LIMIT and OFFSET', (router) => seven(router).select('id').orderBy('id').limit(2).offset(1)],
    ['under a key', (router) => router.for({ user_id: 7 }).selectFrom('tickets').select('id').orderBy('id')],
  ]

  it.each(shapes)('are equal to what Citus reads: %s', async (_, query) => {
    await using router = open()
    await using byCitus = open({ shardReads: false })
    const expected = await query(byCitus).execute()
    expect(expected.length).toBeGreaterThan(0)
    for (let run = 0; run < 3; run++) {
      expect(await query(router).execute()).toEqual(expected)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    expect(await readers()).toBeGreaterThan(0)
  })

  it('do not happen where Citus has to see the statement', async () => {
    await using router = open()
    const others = [
      seven(router).select(({ fn }) => fn.countAll().as('n')),
      seven(router).select(sql<number>`tableoid::int`.as('oid')),
      seven(router).select('tableoid' as 'id'),
      seven(router).select('id').forUpdate(),
      seven(router)
        .select('id')
        .where('id', 'in', router.db.selectFrom('tickets').select('id').where('user_id', '=', 7)),
    ]
    const own = await router.explain(seven(router).select('id'))
    expect(own.reason).toMatch(/read from the shard's own table$/)
    for (const query of others) expect((await router.explain(query)).reason).not.toMatch(/own table/)
  })

  it('see nothing of a shard that left, and all of one that came', async () => {
    await using router = open()
    const query = seven(router).select('festival').orderBy('id').limit(1)
    for (let run = 0; run < 3; run++) {
      expect(await query.execute()).toEqual([{ festival: 'f1' }])
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    // The old copy stays on its node until Citus drops it.
    await onServer(cluster.database.url, 'alter system set citus.defer_shard_delete_interval to -1')
    await onServer(cluster.database.url, 'select pg_reload_conf()')
    try {
      await onServer(
        cluster.database.url,
        `select citus_move_shard_placement(shardid, nodename, nodeport, target.host, target.port, 'block_writes')
         from pg_dist_placement join pg_dist_node using (groupid)
         cross join lateral (select nodename as host, nodeport as port from pg_dist_node as other
           where other.groupid <> pg_dist_placement.groupid and other.shouldhaveshards limit 1) as target
         where shardid = get_shard_id_for_distribution_column('tickets', 7)`,
      )
      await onServer(cluster.database.url, `update tickets set festival = 'moved' where user_id = 7 and id = 1`)
      for (let run = 0; run < 3; run++) expect(await query.execute()).toEqual([{ festival: 'moved' }])
      await onServer(
        cluster.database.url,
        `select isolate_tenant_to_new_shard('tickets', 7, 'CASCADE', 'block_writes')`,
      )
      await onServer(cluster.database.url, `update tickets set festival = 'split' where user_id = 7 and id = 1`)
      for (let run = 0; run < 3; run++) expect(await query.execute()).toEqual([{ festival: 'split' }])
    } finally {
      await onServer(cluster.database.url, 'alter system reset citus.defer_shard_delete_interval')
      await onServer(cluster.database.url, 'select pg_reload_conf()')
    }
  })

  it('tell mistakes in the words of the table', async () => {
    await using router = open()
    const wrong = seven(router)
      .select('id')
      .where('nothing' as 'id', '=', 1)
    await wrong.execute().catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await expect(wrong.execute()).rejects.toMatchObject({ code: '42703' })
  })
})
