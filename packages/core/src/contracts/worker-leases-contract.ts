import assert from 'node:assert/strict'
import type { WorkerLeases } from '../ids/worker-lease.ts'
import type { Contract } from './contract.ts'

/**
 * What every source of worker numbers keeps; give one that has at least three numbers free.
 * @example
 * for (const { name, check } of workerLeasesContract) it(name, () => check(async () => fleetWorkerLeases(options)))
 */
export const workerLeasesContract: Contract<WorkerLeases> = Object.freeze([
  {
    name: 'numbers that are held are different',
    check: async (make: () => Promise<WorkerLeases>) => {
      const leases = await make()
      const held = await Promise.all([leases.acquire(), leases.acquire(), leases.acquire()])
      assert.equal(new Set(held.map(({ worker }) => worker)).size, 3)
      for (const lease of held) assert.ok(lease.firstMs <= lease.untilMs && !lease.lost)
      await Promise.all(held.map((lease) => lease.release()))
    },
  },
  {
    name: 'spans of time under one number never meet, whoever holds it',
    check: async (make: () => Promise<WorkerLeases>) => {
      const leases = await make()
      const usedUntil = new Map<number, number>()
      for (let i = 0; i < 20; i++) {
        const lease = await leases.acquire()
        assert.ok(lease.firstMs > (usedUntil.get(lease.worker) ?? -1))
        lease.used(lease.untilMs)
        usedUntil.set(lease.worker, lease.untilMs)
        await lease.release()
        // Numbers whose span lies ahead of the clock are out of use for a while: that is as good as a refusal.
        if (usedUntil.size === 3) break
      }
    },
  },
  {
    name: 'a released lease is lost, and releasing twice is harmless',
    check: async (make: () => Promise<WorkerLeases>) => {
      const lease = await (await make()).acquire()
      await lease.release()
      await lease.release()
      assert.equal(lease.lost, true)
    },
  },
])
