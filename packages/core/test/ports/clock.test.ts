import { ManualClock, systemClock } from '@shardwright/core'
import { describe, expect, it } from 'vitest'

describe('ManualClock', () => {
  it('wakes sleepers in order, also those that sleep again', async () => {
    const clock = new ManualClock(1000)
    const woken: [string, number][] = []
    const nap = async (name: string, ms: number) => {
      await clock.sleep(ms)
      woken.push([name, clock.now()])
    }
    void nap('b', 20)
    void nap('a', 10).then(() => nap('c', 5))
    await clock.advance(15)
    expect(woken).toEqual([
      ['a', 1010],
      ['c', 1015],
    ])
    await clock.advance(5)
    expect(woken).toHaveLength(3)
    expect([clock.now(), clock.monotonicMs(), clock.sleeping]).toEqual([1020, 20, 0])
  })

  it('goes back on the wall only', async () => {
    const clock = new ManualClock(1000)
    clock.set(500)
    await clock.advance(1)
    expect([clock.now(), clock.monotonicMs()]).toEqual([501, 1])
  })
})

describe.each([
  ['ManualClock', () => new ManualClock()],
  ['systemClock', () => systemClock],
])('%s', (_, make) => {
  it('rejects a sleep with the reason of its abort', async () => {
    const abort = new AbortController()
    const reason = new Error('stop')
    const nap = make().sleep(1e6, { signal: abort.signal })
    abort.abort(reason)
    await expect(nap).rejects.toBe(reason)
    await expect(make().sleep(1, { signal: abort.signal })).rejects.toBe(reason)
  })
})
