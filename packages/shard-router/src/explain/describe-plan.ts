import type { Access } from '../plan/access.ts'
import type { SqlTemplate } from '../plan/compile.ts'
import type { GatherStep, MergePlan } from '../plan/merge-plan.ts'
import { mergeSteps, partNamesOf } from '../plan/merge-steps.ts'
import type { MultiShardPlan } from '../plan/multi-shard.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'

/** A statement with the uses of tables that decide its shards; `undefined` template: nothing is asked of the shards. */
export interface DescribedPart {
  readonly part: string
  readonly template: SqlTemplate | undefined
  readonly accesses: readonly Access[]
  readonly merge: readonly string[]
}

export interface DescribedPlan {
  readonly kind: 'fan-out' | 'split' | 'broadcast'
  readonly before: readonly DescribedPart[]
  readonly template: SqlTemplate | undefined
  readonly merge: readonly string[]
}

/** A multi-shard plan, flattened to what is sent in which order. */
export function describePlan(multi: MultiShardPlan): DescribedPlan {
  switch (multi.kind) {
    case 'fan-out':
      return { kind: 'fan-out', ...describeMerge(multi.merge) }
    case 'broadcast':
      return {
        kind: 'broadcast',
        before: multi.gathers.flatMap(describeGather),
        template: multi.template,
        merge: ['commit on all shards or on none', 'add the row counts, put the returned rows together'],
      }
    case 'reference':
      return {
        kind: 'broadcast',
        before: [],
        template: multi.write.statement,
        merge: ['write the first shard, then the other copies', 'commit on all shards or on none'],
      }
    case 'steps':
      return describeSteps(multi)
    case 'split':
      return { kind: 'split', before: [], template: undefined, merge: insertSteps }
    case 'insert-select': {
      const { before, template, merge } = describeMerge(multi.source)
      const source: DescribedPart = {
        part: 'read the rows to insert',
        template,
        accesses: multi.source.accesses,
        merge,
      }
      return { kind: 'split', before: [...before, source], template: undefined, merge: insertSteps }
    }
  }
}

const insertSteps = Object.freeze([
  'commit on all shards or on none',
  'returned rows in the order of the rows inserted',
])

function describeSteps(multi: MultiShardPlan & { kind: 'steps' }): DescribedPlan {
  const writes = multi.steps.map((step) => partOf(step.plan, `write '${step.part}'`))
  const { before, template, merge } = describePrepared(multi.main)
  return {
    kind: 'broadcast',
    before: [
      ...multi.reads.flatMap(describeGather),
      ...writes.flatMap(({ before: own, ...part }) => [...own, part]),
      ...before,
    ],
    template,
    merge: [...merge.filter((step) => step !== atomically), atomically],
  }
}

const atomically = 'commit on all shards or on none'

function describePrepared(plan: PreparedPlan): Omit<DescribedPlan, 'kind'> {
  if (plan.accesses.length === 0) return { before: [], template: plan.template, merge: [] }
  return describePlan(plan.multi())
}

function partOf(plan: PreparedPlan, part: string): DescribedPart & { readonly before: readonly DescribedPart[] } {
  const { before, template, merge } = describePrepared(plan)
  return {
    part,
    before,
    template: template ?? plan.template,
    accesses: plan.accesses,
    merge: merge.filter((step) => step !== atomically),
  }
}

function describeGather(gather: GatherStep): DescribedPart[] {
  const { before, template, merge } = describeMerge(gather.plan)
  return [...before, { part: `read ${gather.part}`, template, accesses: gather.plan.accesses, merge }]
}

function describeMerge(plan: MergePlan): Omit<DescribedPlan, 'kind'> {
  return { before: plan.gathers.flatMap(describeGather), template: plan.partial, merge: mergeSteps(plan) }
}

/** The names of the parts by the numbers of their slots. */
export function partNames(multi: MultiShardPlan): ReadonlyMap<number, string> {
  switch (multi.kind) {
    case 'fan-out':
      return partNamesOf(multi.merge.gathers)
    case 'broadcast':
      return partNamesOf(multi.gathers)
    case 'insert-select':
      return partNamesOf(multi.source.gathers)
    case 'steps':
      return new Map([
        ...partNamesOf(multi.reads),
        ...multi.steps.map(({ step, part }) => [step, `'${part}'`] as const),
      ])
    default:
      return new Map()
  }
}
