import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { noTelemetry, systemClock } from '@shardwright/core'
import type { Acquired, CacheTier, Lease, TierContext } from '../tiers/cache-tier.ts'
import type { Entry } from '../tiers/entry.ts'

/** One promise that every tier keeps. */
export interface TierPromise {
  readonly name: string
  /** Rejects with what was broken. */
  run(): Promise<void>
}

/**
 * The suite that every tier passes, for any test runner. `makeTier` gives a new tier over an empty store.
 * @example
 * for (const promise of tierContract(() => memoryTier())) test(promise.name, () => promise.run())
 */
export function tierContract(makeTier: () => CacheTier | Promise<CacheTier>): readonly TierPromise[] {
  return Object.entries(promises).map(([name, check]) => ({
    name,
    run: async () => {
      const tier = await makeTier()
      const invalidated: string[] = []
      await tier.open(contextFor(invalidated))
      try {
        await check(tier, invalidated)
      } finally {
        await tier.close()
      }
    },
  }))
}

function contextFor(invalidated: string[]): TierContext {
  return {
    namespace: `contract-${randomUUID()}`,
    fingerprint: '0',
    clock: systemClock,
    telemetry: noTelemetry,
    valueTypes: [],
    leases: true,
    listener: { invalidated: (keys) => void invalidated.push(...keys), lost: () => undefined },
    catchUp: async () => undefined,
  }
}

let made = 0

/** An entry for a tier's own tests. */
export function sampleEntry(value: unknown, lifeMs = 60_000): Entry {
  const now = Date.now()
  const fillId = `sample${String(++made).padStart(6, '0')}`
  return {
    value,
    keeping: 'copied',
    exotic: false,
    bytes: 100,
    fillId,
    freshUntil: now + lifeMs,
    staleUntil: now + lifeMs,
    loadMs: 1,
    tags: [{ key: 'ns:0:@tag:{"a"}', version: 'v1' }],
  }
}

function leaseOf(acquired: Acquired): Lease {
  assert.equal(acquired.kind, 'lease')
  return (acquired as { lease: Lease }).lease
}

async function fill(tier: CacheTier, key: string, entry: Entry): Promise<void> {
  assert.equal(await tier.fill(leaseOf(await tier.acquire(key, undefined, 5_000)), entry), 'stored')
}

const promises: Readonly<Record<string, (tier: CacheTier, invalidated: string[]) => Promise<void>>> = {
  'a key without entry reads as undefined': async (tier) => {
    assert.equal(await tier.read('c:{absent}'), undefined)
  },
  'what was filled under a lease is read, with everything known about it': async (tier) => {
    const entry = sampleEntry({ id: 1n, at: new Date(5), list: [undefined, null, Number.NaN] })
    await fill(tier, 'c:{kept}', entry)
    assert.deepEqual(await tier.read('c:{kept}'), entry)
  },
  'an entry past its hard limit does not exist': async (tier) => {
    await fill(tier, 'c:{brief}', sampleEntry('v', 30))
    await systemClock.sleep(60)
    assert.equal(await tier.read('c:{brief}'), undefined)
  },
  'an invalidation removes the entry': async (tier) => {
    await fill(tier, 'c:{gone}', sampleEntry('v'))
    assert.equal(await tier.invalidate({ keys: ['c:{gone}'], tokens: [] }), 'done')
    assert.equal(await tier.read('c:{gone}'), undefined)
  },
  'an invalidation between lease and fill refuses the fill': async (tier) => {
    const lease = leaseOf(await tier.acquire('c:{race}', undefined, 5_000))
    await tier.invalidate({ keys: ['c:{race}'], tokens: [] })
    assert.equal(await tier.fill(lease, sampleEntry('old')), 'refused')
    assert.equal(await tier.read('c:{race}'), undefined)
  },
  'a lease given after an invalidation is good': async (tier) => {
    leaseOf(await tier.acquire('c:{again}', undefined, 5_000))
    await tier.invalidate({ keys: ['c:{again}'], tokens: [] })
    await fill(tier, 'c:{again}', sampleEntry('new'))
    assert.equal(((await tier.read('c:{again}')) as Entry).value, 'new')
  },
  'clear removes every entry and, as an invalidation does, ends leases': async (tier) => {
    await fill(tier, 'c:{x}', sampleEntry('v'))
    const lease = leaseOf(await tier.acquire('c:{y}', undefined, 5_000))
    assert.equal(await tier.clear(), 'done')
    assert.notEqual(await tier.fill(lease, sampleEntry('old')), undefined)
    for (let tries = 0; tier.shared && !tier.trusted && tries < 200; tries++) await systemClock.sleep(25)
    assert.equal(await tier.read('c:{x}'), undefined)
    assert.equal(await tier.read('c:{y}'), undefined)
  },
  'a released lease stores nothing; with drop the old entry goes': async (tier) => {
    const old = sampleEntry('old')
    await fill(tier, 'c:{r}', old)
    await tier.release(leaseOf(await tier.acquire('c:{r}', old, 5_000)), false)
    assert.equal(((await tier.read('c:{r}')) as Entry).value, 'old')
    await tier.release(leaseOf(await tier.acquire('c:{r}', old, 5_000)), true)
    assert.equal(await tier.read('c:{r}'), undefined)
  },
  'a lease can be renewed until it ends': async (tier) => {
    const lease = leaseOf(await tier.acquire('c:{renew}', undefined, 5_000))
    assert.equal(await tier.renew(lease, 5_000), true)
    await tier.invalidate({ keys: ['c:{renew}'], tokens: [] })
    assert.equal(await tier.renew(lease, 5_000), false)
  },
  'a shared tier gives one lease at a time, and tells of invalidations': async (tier, invalidated) => {
    if (!tier.shared) return
    leaseOf(await tier.acquire('c:{one}', undefined, 5_000))
    assert.equal((await tier.acquire('c:{one}', undefined, 5_000)).kind, 'held')
    await tier.invalidate({ keys: ['c:{one}'], tokens: [] })
    assert.deepEqual(invalidated, ['c:{one}'])
  },
  'a shared tier gives the lease of a silent holder to another': async (tier) => {
    if (!tier.shared) return
    const lease = leaseOf(await tier.acquire('c:{dead}', undefined, 50))
    await systemClock.sleep(120)
    await fill(tier, 'c:{dead}', sampleEntry('second'))
    assert.equal(await tier.fill(lease, sampleEntry('first')), 'refused')
    assert.equal(((await tier.read('c:{dead}')) as Entry).value, 'second')
  },
  'a tier tells the next loader what the last invalidation requires': async (tier) => {
    const token = { shard: 's1', lsn: '0/16B3748', incarnation: '7:1', epoch: 1 }
    await tier.invalidate({ keys: ['c:{lsn}'], tokens: [token] })
    const acquired = await tier.acquire('c:{lsn}', undefined, 5_000)
    assert.deepEqual(acquired.kind === 'lease' && acquired.requires, [token])
  },
}
