import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalCluster, type LocalReplica, startLocalCluster } from '../src/index.ts'
import { query } from './support/query.ts'

describe('streaming replicas', () => {
  let cluster: LocalCluster
  const primary = () => cluster.shard('shard-1')
  const replica = () => primary().replicas[0] as LocalReplica

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
    await query(primary().url, 'CREATE TABLE notes (note text)')
  })
  afterAll(() => cluster?.stop())

  const notesOf = async (url: string) =>
    (await query<{ note: string }>(url, 'SELECT note FROM notes ORDER BY note')).map(({ note }) => note)

  it('follow the primary and take no writes', async () => {
    await query(primary().url, `INSERT INTO notes VALUES ('a')`)
    await replica().caughtUp()
    expect(await notesOf(replica().url)).toEqual(['a'])
    await expect(query(replica().url, `INSERT INTO notes VALUES ('x')`)).rejects.toMatchObject({ code: '25006' })
    expect(cluster.topologyInput().shards[0]?.replicas).toEqual([replica().url])
  })

  it('lag while paused, and catch up', async () => {
    await replica().pause()
    await query(primary().url, `INSERT INTO notes VALUES ('b')`)
    await replica().resume()
    await replica().caughtUp()
    expect(await notesOf(replica().url)).toEqual(['a', 'b'])
  })

  it('come back after a kill of either side', async () => {
    await replica().kill()
    await query(primary().url, `INSERT INTO notes VALUES ('c')`)
    await replica().start()
    await primary().kill()
    await primary().start()
    await query(primary().url, `INSERT INTO notes VALUES ('d')`)
    await replica().caughtUp()
    expect(await notesOf(replica().url)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('can be added to a primary that is being written', async () => {
    let writing = true
    const writer = (async () => {
      for (let round = 0; writing; round++) {
        await query(
          primary().url,
          `INSERT INTO notes SELECT 'e' || ${round} || '-' || n FROM generate_series(1, 500) n`,
        )
      }
    })()
    const added = await primary().addReplica()
    writing = false
    await writer
    await added.caughtUp()
    expect(await notesOf(added.url)).toEqual(await notesOf(primary().url))
    expect(primary().replicas).toHaveLength(2)
  })

  it('say so when they cannot catch up in time', async () => {
    await query(primary().url, `INSERT INTO notes VALUES ('f')`)
    await query(replica().url, 'SELECT pg_wal_replay_pause()')
    await query(primary().url, `INSERT INTO notes VALUES ('g')`)
    await expect(replica().caughtUp(200)).rejects.toMatchObject({ code: 'SERVER_STATE' })
    await query(replica().url, 'SELECT pg_wal_replay_resume()')
  })

  it('a primary that waits for a paused replica does not stop in time, and says what to do', async () => {
    for (const each of primary().replicas) await each.pause()
    await query(primary().url, `INSERT INTO notes SELECT repeat('h', 8000) FROM generate_series(1, 2000)`)
    const stop = primary().stop({ timeoutMs: 500 })
    await expect(stop).rejects.toMatchObject({
      code: 'SERVER_STOP_TIMEOUT',
      hint: expect.stringContaining('immediate'),
    })
    for (const each of primary().replicas) await each.resume()
    await primary().stop()
    await primary().start()
  })

  it('can be promoted when the primary is gone', async () => {
    await query(primary().url, `INSERT INTO notes VALUES ('i')`)
    await replica().caughtUp()
    await primary().kill()
    await replica().promote()
    await query(replica().url, `INSERT INTO notes VALUES ('j')`)
    expect((await notesOf(replica().url)).slice(-2)).toEqual(['i', 'j'])
  })
})
