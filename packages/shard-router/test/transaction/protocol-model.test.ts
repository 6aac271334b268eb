import { describe, expect, test } from 'vitest'
import type { Rules } from './model/protocol.ts'
import { walk } from './model/walk.ts'

describe('the protocol, walked through all interleavings', () => {
  test('one transaction, three participants, two recoveries, any four faults: no promise is broken', () => {
    const { states, violation } = walk({ transactions: 1, recoverers: 2, faults: 4 })
    expect(violation).toBeUndefined()
    expect(states).toBeGreaterThan(10_000)
  })

  // One fault more makes it millions of states and several minutes: SHARDWRIGHT_MODEL_FAULTS=1.
  const faults = Number(process.env.SHARDWRIGHT_MODEL_FAULTS ?? 0)
  test('two transactions, three participants, and a recovery that is killed at any time: no promise is broken', () => {
    const { states, violation } = walk({ transactions: 2, recoverers: 1, faults })
    expect(violation).toBeUndefined()
    expect(states).toBeGreaterThan(80_000)
  }, 1_800_000)

  test('rolling back by age loses money: a process wakes up after a pause and commits what is half rolled back', () => {
    const { violation } = walk({ transactions: 1, recoverers: 1, faults: 0, rules: { rollbackByAge: true } })
    expect(violation?.what).toContain('money lost')
    expect(violation?.trace.join('\n')).toContain('is old')
  })

  const cares: [keyof Rules, RegExp][] = [
    ['forgetAbortsAtOnce', /money lost/],
    ['forgetCommitsAtOnce', /money lost|gone/],
    ['trustRowAlone', /refused|money lost/],
    ['askByDecidersNumber', /money lost/],
    ['settleBeforeDecision', /money lost/],
  ]
  test.each(cares)('without one care the walk finds the damage: %s', (care, damage) => {
    const { violation } = walk({ transactions: 1, recoverers: 1, faults: 1, rules: { [care]: true } })
    expect(violation?.what).toMatch(damage)
  })
})
