import type { ShardKey } from '@shardwright/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { definePartitions, PartitionError } from '../src/index.ts'
import { partitionKey, partitionKeyNames } from '../src/keys/keys.ts'
import { partitionName, pieceName } from '../src/policy/naming.ts'
import { fitName } from '../src/sql/identifier.ts'

interface Database {
  transactions: {
    festival_id: ShardKey<string>
    id: string
    created_at: Date
    stand_id: string
    note: string | null
    payload: object
  }
}

const define = definePartitions<Database>()

describe('definePartitions', () => {
  it('fills in every default and freezes', () => {
    const policy = define({ table: 'transactions', by: 'created_at', every: 'month' })
    expect(policy).toMatchObject({ schema: 'public', zone: 'UTC', premake: 3, defaultRows: 'report', fillGaps: true })
    expect(Object.isFrozen(policy)).toBe(true)
  })

  it('is typed against the database', () => {
    // @ts-expect-error no such table
    expect(() => define({ table: 'wallets', by: 'created_at', every: 'month' })).not.toThrow()
    // @ts-expect-error no such column
    expect(() => define({ table: 'transactions', by: 'at', every: 'month' })).not.toThrow()
    // @ts-expect-error a nullable column cannot be the key
    expect(() => define({ table: 'transactions', by: 'note', every: 'month' })).not.toThrow()
    // @ts-expect-error no interval
    expect(() => define({ table: 'transactions', by: 'created_at', every: 'fortnight' })).toThrow(PartitionError)
  })

  it.each([
    [{ zone: 'Mars/Olympus' }, 'zone'],
    [{ zone: '+02:00' }, 'zone'],
    // biome-ignore lint/suspicious/noThenProperty: the policy's own word; never a function.
    [{ retention: { keep: 'forever', then: 'drop' } }, 'retention.keep'],
    [{ premake: -1 }, 'premake'],
    [{ key: 'date', every: 'hour' }, 'hour'],
    [{ from: 'yesterday' }, 'from'],
    [{ indexes: [{ name: 'i', columns: ['stand_id'], unique: true }] }, 'partition key'],
    [{ colour: 'red' }, 'colour'],
    [{ weekStart: 'sunday' }, 'weekStart'],
    [{ every: 'week', weekStart: 'someday' }, 'weekStart'],
    [{ every: 'week', anchor: '2026-01-04' }, 'anchor'],
    [{ every: '10 days', anchor: '2026-02-30' }, 'anchor'],
    [{ every: '10 days', anchor: '2026-01-04T12:00' }, 'anchor'],
  ])('refuses %j', (change, word) => {
    const options = { table: 'transactions', by: 'created_at', every: 'month', ...change } as never
    expect(() => define(options)).toThrow(PartitionError)
    expect(() => define(options)).toThrow(word)
  })
})

describe('keys', () => {
  it('every key reads back the literals it writes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...partitionKeyNames),
        fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n }),
        (name, raw) => {
          const key = partitionKey(name)
          const position = (raw / key.stepUs) * key.stepUs
          expect(key.parse(key.text(position), 'lower')).toBe(position)
          expect(key.parse(key.text(position), 'upper')).toBe(position)
        },
      ),
    )
  })

  it('writes UTC literals, the least uuid of a millisecond, and reads years before Christ', () => {
    const position = 1_774_742_400_000_000n
    expect(partitionKey('timestamptz').text(position)).toBe('2026-03-29 00:00:00+00')
    expect(partitionKey('date').text(position)).toBe('2026-03-29')
    expect(partitionKey('epoch-ms').text(position)).toBe('1774742400000')
    expect(partitionKey('uuid-v7').text(position)).toBe('019d36e3-ec00-0000-0000-000000000000')
    expect(partitionKey('date').parse('0044-03-15 BC', 'lower')).toBeLessThan(0n)
    expect(partitionKey('timestamptz').parse('now', 'lower')).toBeUndefined()
  })
})

describe('names', () => {
  it('name each kind of period', () => {
    const named = (every: 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour', zone = 'UTC') => {
      const policy = define({ table: 'transactions', by: 'created_at', every, zone })
      return partitionName(policy, policy.calendar.periodAt(1_767_225_600_000_000n)).replace('transactions_', '')
    }
    expect(named('year')).toBe('p2026')
    expect(named('quarter')).toBe('p2026q1')
    expect(named('month')).toBe('p2026_01')
    expect(named('week')).toBe('p2026w01')
    expect(named('day')).toBe('p2026_01_01')
    expect(named('day', 'America/New_York')).toBe('p2025_12_31')
    expect(named('hour', 'Asia/Kolkata')).toBe('p2025_12_31_2330z')
    const sundays = define({ table: 'transactions', by: 'created_at', every: 'week', weekStart: 'sunday' })
    const newYear = sundays.calendar.periodAt(1_767_225_600_000_000n)
    expect(partitionName(sundays, newYear)).toBe('transactions_p2025_12_28w')
    const tens = define({ table: 'transactions', by: 'created_at', every: '10 days', anchor: '2026-03-03' })
    expect(partitionName(tens, tens.calendar.periodAt(1_772_496_000_000_000n))).toBe('transactions_p2026_03_03')
  })

  it('stay unique at 63 bytes, also for tables that differ only at their end, in any script', () => {
    const longNames = fc.tuple(
      fc.string({ unit: 'grapheme', minLength: 50, maxLength: 80 }),
      fc.string({ maxLength: 3 }),
    )
    fc.assert(
      fc.property(longNames, longNames, ([a, x], [b, y]) => {
        const first = fitName(a + x, '_p2026_01')
        const second = fitName(b + y, '_p2026_01')
        expect(Buffer.byteLength(first)).toBeLessThanOrEqual(63)
        expect(first === second).toBe(a + x === b + y)
        expect(first.isWellFormed()).toBe((a + x).isWellFormed())
      }),
    )
    const long = 'ü'.repeat(40)
    expect(fitName(`${long}a`, '_p2026_01')).not.toBe(fitName(`${long}b`, '_p2026_01'))
  })

  it('a piece of a period has a name of its own', () => {
    const policy = define({ table: 'transactions', by: 'created_at', every: 'month' })
    const period = policy.calendar.periodAt(1_767_225_600_000_000n)
    const piece = { from: period.from + 86_400_000_000n, to: period.to }
    expect(pieceName(policy, period, piece)).toBe('transactions_p2026_01_x20260102t000000')
  })
})
