import { describe, expect, it } from 'vitest'
import { containersAvailable } from '../src/containers/container-engine.ts'
import { readLogFrames } from '../src/containers/log-frames.ts'
import { startLocalCluster } from '../src/index.ts'
import { query } from './support/query.ts'

const available = await containersAvailable()

describe.skipIf(!available)('servers in containers', () => {
  it('are a cluster that can be disturbed', { timeout: 600_000 }, async () => {
    const startTimeoutMs = 300_000 // the images may have to come first
    await using cluster = await startLocalCluster({
      engine: 'containers',
      shards: 1,
      replicasPerShard: 1,
      redis: true,
      startTimeoutMs,
    })
    const shard = cluster.shard('shard-1')
    const replica = shard.replicas[0]
    await query(shard.url, 'CREATE TABLE notes AS SELECT 1 AS note')
    await replica?.caughtUp()
    expect(await query(replica?.url ?? '', 'SELECT note FROM notes')).toEqual([{ note: 1 }])
    await shard.pause()
    await shard.resume()
    await shard.kill()
    await replica?.promote()
    await query(replica?.url ?? '', 'INSERT INTO notes VALUES (2)')
    await shard.start()
    await shard.restart()
    expect(await query(shard.url, 'SELECT note FROM notes')).toEqual([{ note: 1 }])
    expect(await shard.server.logTail()).toMatch(/ready to accept connections/)
    await cluster.redis?.flush()
  })
})

describe.skipIf(available)('a machine without a container engine', () => {
  it('says so', async () => {
    await expect(startLocalCluster({ engine: 'containers' })).rejects.toMatchObject({ code: 'CONTAINERS_UNAVAILABLE' })
  })
})

describe('the log of a container', () => {
  it('is read without its frames, cut or not', () => {
    const frame = (text: string) => {
      const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])
      header.writeUInt32BE(Buffer.byteLength(text), 4)
      return Buffer.concat([header, Buffer.from(text)])
    }
    const log = Buffer.concat([frame('a line\n'), frame('größer\n')])
    expect(readLogFrames(log)).toBe('a line\ngrößer\n')
    expect(readLogFrames(log.subarray(0, log.length - 3))).toBe('a line\ngröß')
    expect(readLogFrames(Buffer.alloc(0))).toBe('')
  })
})
