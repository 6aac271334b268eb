import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defineMigration, type MigrationRow, type Target } from '../src/index.ts'
import { planRun, type ShardStates } from '../src/run/plan-run.ts'

const names = ['0001', '0002', '0003', '0004', '0005']
const migrations = names.map((name) => defineMigration({ name, up: async () => {}, down: async () => {} }))

const row = (name: string): MigrationRow => ({
  name,
  state: 'applied',
  checksum: '',
  transactional: true,
  startedAt: '',
  finishedAt: null,
  durationMs: null,
  toolVersion: '',
  appliedBy: '',
  error: null,
  journal: [],
})

const target: fc.Arbitrary<Target> = fc.oneof(
  fc.constant({ kind: 'latest' } as const),
  fc.record({ kind: fc.constant('at' as const), name: fc.option(fc.constantFrom(...names)) }),
  fc.record({ kind: fc.constant('back' as const), steps: fc.integer({ min: 0, max: 6 }) }),
)

it('a plan brings every shard to its target, touches only what is left, reverts from the end and applies in order', () => {
  fc.assert(
    fc.property(fc.array(fc.subarray(names), { minLength: 1, maxLength: 6 }), target, (applied, goal) => {
      const states: ShardStates = new Map(
        applied.map((own, index) => [`shard-${index}`, new Map(own.map((name) => [name, row(name)]))]),
      )
      const now = new Map([...states].map(([shard, rows]) => [shard, new Set(rows.keys())]))
      const stages = planRun(migrations, states, goal)
      for (const { migration, direction, shards } of stages) {
        for (const shard of shards) {
          const own = now.get(shard) ?? new Set()
          expect(own.has(migration.name)).toBe(direction === 'down')
          if (direction === 'up') own.add(migration.name)
          else own.delete(migration.name)
        }
      }
      const order = stages.map((stage) => `${stage.direction} ${stage.migration.name}`)
      const downs = order.filter((step) => step.startsWith('down'))
      const ups = order.filter((step) => step.startsWith('up'))
      expect(order).toEqual([...downs.toSorted().toReversed(), ...ups.toSorted()])
      const union = names.filter((name) => applied.some((own) => own.includes(name)))
      for (const [index, own] of applied.entries()) {
        const wanted =
          goal.kind === 'latest'
            ? names
            : goal.kind === 'at'
              ? names.filter((name) => goal.name !== null && name <= goal.name)
              : own.filter((name) => union.indexOf(name) < union.length - goal.steps)
        expect([...(now.get(`shard-${index}`) ?? [])].toSorted()).toEqual(wanted)
      }
    }),
    { verbose: true, numRuns: 500 },
  )
})
