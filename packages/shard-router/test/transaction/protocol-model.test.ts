import { describe, expect, test } from 'vitest'
import type { Rules } from './model/protocol.ts'
import { walk } from './model/walk.ts'

describe('the protocol, walked through all interleavings', () => {
  test('one transaction, three participants, two recoveries, any four faults: no promise is broken', () => {
    const { states, violation } = walk({ transactions: 1, recoverers: 2, faults: 4 })
    expect(violation).toBeUndefined()
    expect(states).toBeGreaterThan(10_000)
  })

  test('two transactions, three participants, a recovery that is killed at any time, and a crash: no promise is broken', () => {
    const { states, violation } = walk({ transactions: 2, recoverers: 1, faults: 1 })
    expect(violation).toBeUndefined()
    expect(states).toBeGreaterThan(200_000)
  }, 240_000)

  test('two transactions and two recoveries: no promise is broken', () => {
    const { states, violation } = walk({ transactions: 2, recoverers: 2, faults: 0 })
    expect(violation).toBeUndefined()
    expect(states).toBeGreaterThan(60_000)
  }, 240_000)

  test.each([1, 2])(
    'rolling back by age loses money, %s transactions: a process wakes up after a pause and commits what is half rolled back',
    (transactions) => {
      const { violation } = walk({ transactions, recoverers: 1, faults: 0, rules: { rollbackByAge: true } })
      expect(violation?.what).toContain('money lost')
      expect(violation?.trace.join('\n')).toContain('is old')
    },
  )

  const cares: [keyof Rules, RegExp][] = [
    ['forgetAbortsAtOnce', /money lost/],
    ['forgetCommitsAtOnce', /money lost|gone/],
    ['trustRowAlone', /refused|money lost/],
    ['askByDecidersNumber', /money lost/],
    ['settleBeforeDecision', /money lost/],
    ['ignorePrepareTag', /money lost|acknowledged/],
    ['decideOnFirstVote', /money lost/],
    ['prepareBeforeNumber', /money lost/],
    ['ignoreDecisionTag', /money lost|acknowledged/],
  ]
  test.each(cares)('without one care the walk finds the damage: %s', (care, damage) => {
    const { violation } = walk({ transactions: 1, recoverers: 1, faults: 1, rules: { [care]: true } })
    expect(violation?.what).toMatch(damage)
  })
})
