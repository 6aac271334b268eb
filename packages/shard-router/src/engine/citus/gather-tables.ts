import type { Schema } from '@shardwright/core'
import type { Catalog } from '../../plan/catalog.ts'
import { bindClock } from '../../plan/clock.ts'
import { compileTemplate } from '../../plan/compile.ts'
import { gatheredTable } from '../../plan/decompose/table-rows.ts'
import type { Combine, GatherStep, MergePlan } from '../../plan/merge-plan.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { writingCtes } from '../../plan/write/writing-ctes.ts'
import { coordinatorId } from './cluster-map.ts'
import { replaceTables } from './pull-tables.ts'

/** How a statement runs over rows that are read first. */
export interface GatheredPlan extends MergePlan {
  readonly combine: Combine
}

/**
 * Reads the rows of the tables first, but of the one that is written, each through the coordinator, and gives them to the
 * statement: what is left for recursive CTEs, and for subqueries, which Citus 13.2 may compute from rows that it did not keep.
 * @returns `undefined` for other statements, and where that is not possible
 */
export function gatherTables(asked: PreparedPlan, schema: Schema, catalog: Catalog): GatheredPlan | undefined {
  const isSelect = asked.kind === 'select'
  if (isSelect ? asked.traits.writes : asked.kind !== 'update' && asked.kind !== 'delete') return undefined
  if (writingCtes(asked.root).length > 0) return undefined
  // The planner of Citus 13.2 does not end for some writes to a reference table.
  if (!isSelect && !asked.accesses.some((access) => access.kind === 'sharded' && access.writes)) return undefined
  const plan = { ...asked, root: bindClock(asked.root) }
  const gathers: GatherStep[] = []
  const root = replaceTables(plan, schema, catalog, (relation, query) => {
    const step = gathers.length + 1
    gathers.push({ step, part: relation.alias, plan: onCoordinator({ ...plan, root: query }) })
    return gatheredTable(step, relation)
  })
  if (root === undefined) return undefined
  const final = compileTemplate(root, plan.parameters)
  const combine = { final, reason: 'Citus does not run it over several shards', hidden: 0 }
  return { gathers, partial: undefined, accesses: [], merge: { kind: 'combine', combine }, combine }
}

/** All rows of a statement, as Citus gives them. */
export function onCoordinator({ root, parameters }: Pick<PreparedPlan, 'root' | 'parameters'>): MergePlan {
  return { ...concatenated, partial: compileTemplate(root, parameters) }
}

const concatenated: Omit<MergePlan, 'partial'> = Object.freeze({
  gathers: [],
  accesses: [{ kind: 'single', name: '', shard: coordinatorId, writes: false } as const],
  merge: { kind: 'concat' } as const,
})
