import {
  type Cache,
  type CacheOptions,
  createCache,
  memoryTier,
  type RedisTierOptions,
  redisTier,
} from '../src/index.ts'
import type { RedisFixture } from './redis.ts'

let namespaces = 0

/** A namespace of its own for each test. */
export function freshNamespace(): string {
  return `test-${process.pid}-${++namespaces}`
}

/** For tests of what is right, not of how fast it is: a slow machine must not look like a Redis in trouble. */
export const patient = Object.freeze({ budgetMs: 10_000, linkLeaseMs: 20_000, invalidateBudgetMs: 20_000 })

/** A cache as one process has it: memory over Redis. */
export async function nodeOf(
  fixture: RedisFixture,
  namespace: string,
  options: Partial<CacheOptions> = {},
  redis: Partial<RedisTierOptions> = {},
): Promise<Cache> {
  const client = await fixture.client()
  const tiers = [memoryTier(), redisTier({ client, ...patient, ...redis })]
  return await createCache({ namespace, tiers, defaults: { earlyRefresh: 0 }, ...options }).ready()
}

export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

/** Something to wait for. */
export function gate(): Gate {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Waits until it is true. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited 30 s in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
