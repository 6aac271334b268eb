// biome-ignore-all lint/suspicious/noThenProperty: the policy's own word; never a function.
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { positionOfInstant } from '../src/calendar/position.ts'
import { type CatalogState, definePartitions, type PartitionState, planPartitions } from '../src/index.ts'
import { Coverage } from '../src/plan/coverage.ts'
import { keyNow } from '../src/plan/wanted.ts'

interface Database {
  events: { id: string; at: Date }
}
type Options = Parameters<ReturnType<typeof definePartitions<Database>>>[0]

const at = (text: string) => positionOfInstant(Temporal.Instant.from(text))
const define = (options: Partial<Options>) =>
  definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', ...options })

function stateOf(
  partitions: readonly { lower: bigint | undefined; upper: bigint | undefined; name: string }[],
  distributed = false,
): CatalogState {
  return {
    shard: 's1',
    serverTime: 0n,
    serverVersion: 180_000,
    standby: false,
    parent: {
      oid: '1',
      schema: 'public',
      name: 'events',
      owner: 'o',
      ownedByUs: true,
      tablespace: undefined,
      replicaIdentity: 'd',
      columnSettings: '',
      distributed,
      distributionColumn: distributed ? 'tenant' : undefined,
    },
    partitions: partitions.map((range, index) => ({
      ...range,
      oid: String(index + 2),
      schema: 'public',
      bound: '',
      detachPending: false,
      partitioned: false,
      bytes: 0n,
      accessMethod: 'heap',
      estimatedRows: -1,
      options: '',
    })),
    defaultPartition: undefined,
    indexes: [],
    incomingForeignKeys: [],
    columnarObstacles: [],
    columnar: false,
    outgoingForeignKeys: [],
    jobs: [],
    takenNames: new Set(partitions.map((partition) => partition.name)),
    analyzedAt: undefined,
    fingerprint: 'f',
  }
}

const zones = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'America/Sao_Paulo',
  'Africa/Cairo',
  'Asia/Kolkata',
  'Pacific/Apia',
  'Australia/Lord_Howe',
]
const intervals = ['hour', 'day', '3 days', 'week', 'month', 'quarter', 'year'] as const
const keys = ['timestamptz', 'timestamp', 'epoch-ms', 'uuid-v7'] as const

/** What the plan creates, added to what there is. */
function after(state: CatalogState, plan: ReturnType<typeof planPartitions>): PartitionState[] {
  const gone = new Set(plan.actions.flatMap((a) => (a.kind === 'retire' ? [a.partition.oid] : [])))
  const created = plan.actions.flatMap((a) =>
    a.kind === 'create' ? [{ lower: a.period.from, upper: a.period.to, name: a.name }] : [],
  )
  return [
    ...stateOf(
      [...state.partitions.filter((p) => !gone.has(p.oid)), ...created].sort((a, b) =>
        (a.lower ?? -1n) < (b.lower ?? -1n) ? -1 : 1,
      ),
    ).partitions,
  ]
}

describe('planPartitions', () => {
  it('runs at any moments, in any zone, with any intervals one after the other: no gap, no overlap, no name twice', () => {
    const moments = fc.array(fc.bigInt({ min: at('2010-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...keys),
        fc.array(fc.constantFrom(...intervals), { minLength: 1, maxLength: 3 }),
        moments,
        fc.integer({ min: 0, max: 5 }),
        (zone, key, everies, nows, premake) => {
          let partitions: PartitionState[] = []
          // Moments close to each other: with hours between years the gaps would be thousands.
          const start = nows[0] as bigint
          const steps = nows.map((now, index) => start + BigInt(index) * ((now < 0n ? -now : now) % 1_728_000_000_000n))
          for (const [index, now] of steps.sort((a, b) => (a < b ? -1 : 1)).entries()) {
            const policy = define({ zone, key, every: everies[index % everies.length] as 'month', premake })
            const state = stateOf(partitions)
            const plan = planPartitions(state, policy, now)
            expect(plan.problems.filter((problem) => problem.code !== 'PARTITION_CREATE_CAP')).toEqual([])
            partitions = after(state, plan)
            for (let i = 1; i < partitions.length; i++) expect(partitions[i]?.lower).toBe(partitions[i - 1]?.upper)
            expect(new Set(partitions.map((partition) => partition.name)).size).toBe(partitions.length)
            const current = policy.calendar.periodAt(keyNow(policy, now))
            expect(new Coverage(partitions).uncovered(current)).toEqual([])
            let last = current
            for (let ahead = 0; ahead < premake; ahead++) last = policy.calendar.after(last)
            expect((partitions.at(-1)?.upper as bigint) >= last.to).toBe(true)
            expect(planPartitions(stateOf(partitions), policy, now).actions).toEqual([])
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('retires only what ends before the cutoff, never the last, and the same for the same arguments', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom('day', 'week', 'month' as const),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 40 }),
        fc.bigInt({ min: at('2015-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }),
        (zone, every, keep, count, now) => {
          const policy = define({
            zone,
            every: every as 'day',
            premake: 0,
            retention: { keep: `${keep} days`, then: 'drop', maxDropsPerRun: 1000 },
          })
          const ranges = []
          let period = policy.calendar.periodAt(now)
          for (let i = 0; i < count; i++) {
            ranges.unshift({ lower: period.from, upper: period.to, name: `p${i}` })
            period = policy.calendar.before(period)
          }
          const state = stateOf(ranges)
          const plan = planPartitions(state, policy, now)
          const gone = plan.actions.flatMap((a) => (a.kind === 'retire' ? [a.range.upper] : []))
          const limit = now - BigInt(keep) * 86_400_000_000n + 3_600_000_000n
          for (const upper of gone) expect(upper <= limit).toBe(true)
          expect(gone.length).toBeLessThan(count)
          expect(planPartitions(state, policy, now)).toEqual(plan)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('around every change of the clocks the present has its partition, and retention takes no hour too many', () => {
    const moments = [-3_600_000_001n, -1n, 0n, 1n, 1_800_000_000n, 3_600_000_000n, 86_400_000_000n]
    let changes = 0
    for (const zone of zones) {
      let transition = Temporal.Instant.from('2010-06-01T00:00:00Z')
        .toZonedDateTimeISO(zone)
        .getTimeZoneTransition('next')
      for (let seen = 0; transition && seen < 12; seen++, transition = transition.getTimeZoneTransition('next')) {
        changes++
        for (const key of ['timestamptz', 'timestamp', 'date'] as const) {
          for (const every of key === 'date' ? (['day'] as const) : (['hour', 'day'] as const)) {
            const keep = every === 'hour' ? '5 hours' : '2 days'
            const policy = define({
              zone,
              key,
              every,
              premake: 2,
              retention: { keep, then: 'drop', maxDropsPerRun: 1000 },
            })
            let partitions = after(
              stateOf([]),
              planPartitions(
                stateOf([]),
                define({ zone, key, every, premake: 0 }),
                positionOfInstant(transition.toInstant()) - 4n * 86_400_000_000n,
              ),
            )
            for (const moment of moments) {
              const now = positionOfInstant(transition.toInstant()) + moment
              const plan = planPartitions(stateOf(partitions), policy, now)
              const kept = policy.calendar.subtract(
                keyNow(policy, now),
                Temporal.Duration.from(every === 'hour' ? { hours: 5 } : { days: 2 }),
              )
              for (const action of plan.actions)
                if (action.kind === 'retire') expect(action.range.upper <= kept).toBe(true)
              partitions = after(stateOf(partitions), plan)
              expect(new Coverage(partitions).uncovered(policy.calendar.periodAt(keyNow(policy, now)))).toEqual([])
              // What is due and spared as the last one may lie apart.
              const living = partitions.filter(({ upper }) => (upper as bigint) > kept)
              for (let i = 1; i < living.length; i++) expect(living[i]?.lower).toBe(living[i - 1]?.upper)
            }
          }
        }
      }
    }
    expect(changes).toBeGreaterThan(60)
  })

  it('the present comes first when more is missing than one run creates', () => {
    const policy = define({ every: 'hour', premake: 1000, from: '2020-01-01' })
    const plan = planPartitions(stateOf([]), policy, at('2026-06-01T12:30:00Z'))
    const names = plan.actions.flatMap((a) => (a.kind === 'create' ? [a.name] : []))
    expect(names).toHaveLength(1000)
    expect(names[0]).toBe('events_p2026_06_01_1200z')
    expect(plan.problems.map((problem) => problem.code)).toContain('PARTITION_CREATE_CAP')
  })

  it('on a table that Citus distributes: PARTITION OF, and a plain detach', () => {
    const policy = define({ premake: 0, retention: { keep: '1 month', then: 'drop' } })
    const old = { lower: at('2020-01-01T00:00:00Z'), upper: at('2020-02-01T00:00:00Z'), name: 'old' }
    const current = { lower: at('2026-05-01T00:00:00Z'), upper: at('2026-06-01T00:00:00Z'), name: 'current' }
    const plan = planPartitions(
      stateOf([old, current], true),
      { ...policy, fillGaps: false },
      at('2026-06-15T00:00:00Z'),
    )
    expect(plan.actions.flatMap((action) => action.sql)).toEqual([
      `create table "public"."events_p2026_06" partition of "public"."events" for values from ('2026-06-01 00:00:00+00') to ('2026-07-01 00:00:00+00')`,
      'alter table "public"."events" detach partition "public"."old"',
      'drop table "public"."old"',
    ])
  })

  it('is frozen', () => {
    const plan = planPartitions(stateOf([]), define({}), at('2026-06-15T00:00:00Z'))
    expect([plan, plan.actions, plan.actions[0]].every(Object.isFrozen)).toBe(true)
  })
})
