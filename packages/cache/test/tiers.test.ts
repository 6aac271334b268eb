import { afterAll, beforeAll, describe, test } from 'vitest'
import { memoryTier, redisTier } from '../src/index.ts'
import { tierContract } from '../src/testing/index.ts'
import { patient } from './caches.ts'
import { type RedisFixture, redisHere, startRedisFixture } from './redis.ts'

describe('memory tier', () => {
  for (const promise of tierContract(() => memoryTier())) test(promise.name, () => promise.run())
})

describe.skipIf(!redisHere.available)('redis tier', () => {
  let fixture: RedisFixture
  beforeAll(async () => {
    fixture = await startRedisFixture()
  })
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })
  const makeTier = async () => redisTier({ client: await fixture.client(), ...patient })
  for (const promise of tierContract(makeTier)) test(promise.name, () => promise.run())
})
