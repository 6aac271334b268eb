import assert from 'node:assert/strict'
import type { Clock } from '../ports/clock.ts'
import type { Contract } from './contract.ts'

/**
 * What every Clock keeps. Sleeps that end by themselves are left out: a manual clock waits for its owner.
 * @example
 * for (const { name, check } of clockContract) it(name, () => check(async () => systemClock))
 */
export const clockContract: Contract<Clock> = Object.freeze([
  {
    name: 'the monotonic clock never goes back',
    check: async (make: () => Promise<Clock>) => {
      const clock = await make()
      let last = clock.monotonicMs()
      for (let i = 0; i < 1000; i++) {
        const now = clock.monotonicMs()
        assert.ok(now >= last)
        last = now
      }
    },
  },
  {
    name: 'a sleep that is aborted rejects with the reason of its signal',
    check: async (make: () => Promise<Clock>) => {
      const clock = await make()
      const abort = new AbortController()
      const reason = new Error('enough')
      const sleep = clock.sleep(1e8, { signal: abort.signal, unref: true })
      abort.abort(reason)
      await assert.rejects(sleep, (error) => error === reason)
    },
  },
  {
    name: 'a sleep under a signal that is aborted already rejects at once',
    check: async (make: () => Promise<Clock>) => {
      const clock = await make()
      const reason = new Error('enough')
      await assert.rejects(clock.sleep(1e8, { signal: AbortSignal.abort(reason) }), (error) => error === reason)
    },
  },
])
