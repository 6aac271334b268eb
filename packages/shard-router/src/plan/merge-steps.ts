import type { GatherStep, MergePlan } from './merge-plan.ts'
import { readableSql } from './readable-sql.ts'

/** How partial results become one, in words; what is read before has steps of its own. */
export function mergeSteps({ merge, gathers }: MergePlan): string[] {
  const names = partNamesOf(gathers)
  const combined = (sql: string) => readableSql(sql, names)
  switch (merge.kind) {
    case 'concat':
      return ['put the rows together']
    case 'ordered': {
      const sorted = merge.order.length > 0 ? ['merge the sorted rows'] : ['put the rows together']
      const distinct = merge.distinct ? ['drop repeated rows'] : []
      const cut = merge.window.limit || merge.window.offset ? ['apply LIMIT and OFFSET'] : []
      return [...sorted, ...distinct, ...cut, byTypes(combined(merge.combine.final.sql))]
    }
    case 'aggregate':
      return [
        `merge the partial ${merge.aggregate.groups.length > 0 ? 'groups' : 'aggregates'} in process`,
        byTypes(combined(merge.combine.final.sql)),
      ]
    case 'combine':
      return [`PostgreSQL combines (${merge.combine.reason}): ${combined(merge.combine.final.sql)}`]
  }
}

function byTypes(sql: string): string {
  return `where types need it, PostgreSQL combines: ${sql}`
}

/** The names of gathered parts by the numbers of their slots, at every depth. */
export function partNamesOf(gathers: readonly GatherStep[]): ReadonlyMap<number, string> {
  return new Map(
    gathers.flatMap((gather) => [[gather.step, gather.part] as const, ...partNamesOf(gather.plan.gathers)]),
  )
}
