import { noTelemetry } from '@shardwright/core'
import { citusAvailability } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FestivalCluster, onServer, routerOn, startFestivalCluster } from './cluster-fixture.ts'

const { available } = await citusAvailability()

/*
 * A move is told to the nodes one after the other, by a two-phase commit. A node that has not heard of it yet looks for the
 * shard where it was, and says that there is no such table once that one is dropped: again and again, until it hears of it.
 */
describe.skipIf(!available)('a node that does not know yet that a shard has moved', () => {
  let cluster: FestivalCluster
  const counted = new Map<string, number>()
  const telemetry = {
    ...noTelemetry,
    count: (name: string, by: number) => void counted.set(name, (counted.get(name) ?? 0) + by),
  }

  beforeAll(async () => {
    cluster = await startFestivalCluster()
    const { url, nodes } = cluster.database
    await onServer(url, `insert into tickets (user_id, id, festival) values (7, 1, 'a'), (7, 2, 'b')`)
    const place = `from pg_dist_placement join pg_dist_node using (groupid)
      where shardid = get_shard_id_for_distribution_column('tickets', 7)`
    const [before] = await onServer(url, `select groupid, nodename, nodeport ${place}`)
    await onServer(
      url,
      `select citus_move_shard_placement(get_shard_id_for_distribution_column('tickets', 7), '${before?.nodename}',
         ${before?.nodeport}, nodename, nodeport, 'block_writes')
       from pg_dist_node where groupid <> ${before?.groupid} and shouldhaveshards limit 1`,
    )
    await onServer(url, 'call citus_cleanup_orphaned_resources()')
    const [after] = await onServer(url, `select shardid, nodename || ':' || nodeport as node ${place}`)
    await onServer(
      nodes[String(after?.node)] as string,
      `update pg_dist_placement set groupid = ${before?.groupid} where shardid = ${after?.shardid}`,
    )
  }, 60_000)
  afterAll(async () => await cluster?.[Symbol.asyncDispose]())

  it('costs a statement that is sent again, once', async () => {
    await using router = routerOn(cluster.database, { telemetry })
    const query = router.db.selectFrom('tickets').select('id').where('user_id', '=', 7).orderBy('id')
    for (let run = 0; run < 5; run++) expect(await query.execute()).toEqual([{ id: 1 }, { id: 2 }])
    expect((await router.explain(query)).reason).toMatch(/by way of the coordinator/)
    const change = router.db.updateTable('tickets').set({ festival: 'c' }).where('user_id', '=', 7).where('id', '=', 1)
    expect((await change.executeTakeFirst()).numUpdatedRows).toBe(1n)
    expect(counted.get('shardwright.citus.shards_in_doubt')).toBe(1)
  })

  it('costs a write that is sent again, once', async () => {
    await using router = routerOn(cluster.database)
    const change = router.db.updateTable('tickets').set({ festival: 'd' }).where('user_id', '=', 7).where('id', '=', 1)
    for (let run = 0; run < 3; run++) expect((await change.executeTakeFirst()).numUpdatedRows).toBe(1n)
  })

  it('costs a stream that is sent again, before its first row', async () => {
    await using router = routerOn(cluster.database)
    const ids: unknown[] = []
    for await (const { id } of router.db.selectFrom('tickets').select('id').where('user_id', '=', 7).stream())
      ids.push(id)
    expect(ids).toHaveLength(2)
  })

  it.each(['execute', 'stream'] as const)('costs one transaction that is run again (%s)', async (how) => {
    await using router = routerOn(cluster.database)
    const run = () =>
      router
        .for({ user_id: 7 })
        .transaction()
        .execute(async (trx) => {
          const query = trx.selectFrom('tickets').select('id').orderBy('id')
          if (how === 'execute') return await query.execute()
          const rows: unknown[] = []
          for await (const row of query.stream()) rows.push(row)
          return rows
        })
    await expect(run()).rejects.toMatchObject({ code: 'CITUS_SHARD_MOVED', details: { sqlState: '40001' } })
    for (let again = 0; again < 3; again++) expect(await run()).toEqual([{ id: 1 }, { id: 2 }])
  })
})
