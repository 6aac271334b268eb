import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalCluster, type LocalRedis, redisAvailability, startLocalCluster } from '../src/index.ts'
import { redisCommand } from '../src/redis/redis-command.ts'

const availability = await redisAvailability()

describe.skipIf(!availability.available)('Redis', () => {
  let cluster: LocalCluster
  const redis = () => cluster.redis as LocalRedis
  const send = (command: string) => redisCommand(redis().host, redis().port, command, 2_000)

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, databasePerShard: true, redis: true })
  })
  afterAll(() => cluster?.stop())

  it('answers on its URL', async () => {
    expect(redis().url).toBe(`redis://127.0.0.1:${redis().port}`)
    expect(await send('SET key value')).toBe('+OK')
    await redis().flush()
    expect(await send('EXISTS key')).toBe(':0')
  })

  it('keeps its data through restart and kill', async () => {
    await send('SET kept 1')
    await redis().restart()
    expect(await send('EXISTS kept')).toBe(':1')
    await redis().kill()
    expect(redis().state).toBe('stopped')
    await expect(send('PING')).rejects.toThrow()
    await redis().start()
    expect(await send('EXISTS kept')).toBe(':1')
  })

  it('is silent while paused', async () => {
    await redis().pause()
    await expect(redisCommand(redis().host, redis().port, 'PING', 300)).rejects.toThrow(/no reply/)
    await redis().resume()
    expect(await send('PING')).toBe('+PONG')
  })
})

describe('a cluster without Redis', () => {
  it('says where a Redis would come from', () => {
    expect(availability.available).toBe(availability.source !== 'none')
    if (!availability.available) expect(availability.reason).toMatch(/redis-server/)
  })
})
