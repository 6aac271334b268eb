import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalCluster, startLocalCluster } from '../src/index.ts'
import { processTree } from '../src/process/process-tree.ts'
import { eventually } from './support/eventually.ts'
import { query } from './support/query.ts'

describe('a server of each shard, disturbed', () => {
  let cluster: LocalCluster

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2 })
    for (const { url } of cluster.shards) await query(url, 'CREATE TABLE notes (note text)')
  })
  afterAll(() => cluster?.stop())

  it('gives every server its own identity', async () => {
    const identifiers = await Promise.all(
      cluster.shards.map(({ url }) =>
        query<{ id: string }>(url, 'SELECT system_identifier AS id FROM pg_control_system()'),
      ),
    )
    expect(new Set(identifiers.flat().map(({ id }) => id)).size).toBe(2)
  })

  it('keeps what was committed through a kill, on the same URL', async () => {
    const shard = cluster.shard('shard-1')
    const note = randomUUID()
    const bystander = new Client({ connectionString: shard.url })
    const lost = new Promise((resolve) => bystander.once('error', resolve))
    await bystander.connect()
    await query(shard.url, `INSERT INTO notes VALUES ('${note}')`)
    await shard.kill()
    expect(shard.state).toBe('stopped')
    await lost
    await expect(query(shard.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await shard.start()
    expect(await query(shard.url, `SELECT note FROM notes WHERE note = '${note}'`)).toEqual([{ note }])
  })

  it('leaves the other shards alone', async () => {
    const [first, second] = [cluster.shard('shard-1'), cluster.shard('shard-2')]
    await first.stop()
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await first.start()
    expect(await query(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('answers nothing while paused, and everything after', async () => {
    const shard = cluster.shard('shard-2')
    const client = new Client({ connectionString: shard.url })
    await client.connect()
    await shard.pause()
    expect(shard.state).toBe('paused')
    let answered = false
    const answer = client.query('SELECT 42 AS answer').then((result) => {
      answered = true
      return result.rows
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(answered).toBe(false)
    await shard.resume()
    expect(await answer).toEqual([{ answer: 42 }])
    await client.end()
  })

  it('stops, kills and restarts a paused server', async () => {
    const shard = cluster.shard('shard-2')
    await shard.pause()
    await shard.stop()
    await shard.start()
    await shard.pause()
    await shard.kill()
    await shard.restart()
    await shard.pause()
    await shard.restart()
    expect(await query(shard.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('says so when a call does not fit the state', async () => {
    const shard = cluster.shard('shard-1')
    await expect(shard.start()).rejects.toMatchObject({
      code: 'SERVER_STATE',
      message: expect.stringContaining('running'),
    })
    await shard.stop()
    await expect(shard.pause()).rejects.toMatchObject({ code: 'SERVER_STATE' })
    await expect(shard.resume()).rejects.toMatchObject({ code: 'SERVER_STATE' })
    await shard.stop() // nothing to do
    await shard.start()
  })
})

describe('a cluster that was stopped', () => {
  it('stops once, whatever the state of its servers', async () => {
    const cluster = await startLocalCluster({ shards: 2 })
    await cluster.shard('shard-1').pause()
    await cluster.shard('shard-2').kill()
    await Promise.all([cluster.stop(), cluster.stop()])
    await cluster[Symbol.asyncDispose]()
    await eventually('no children are left', () => processTree(process.pid).length === 1)
  })
})
