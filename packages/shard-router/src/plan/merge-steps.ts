import type { Merge, MergePlan } from './merge-plan.ts'

/** How partial results become one, in words. */
export function mergeSteps(plan: MergePlan): string[] {
  const steps = plan.gathers.map((gather) => `first read ${gather.part} (${mergeSteps(gather.plan).join('; ')})`)
  return [...steps, ...ownSteps(plan.merge)]
}

function ownSteps(merge: Merge): string[] {
  switch (merge.kind) {
    case 'concat':
      return ['put the rows together']
    case 'ordered': {
      const sorted = merge.order.length > 0 ? ['merge the sorted rows'] : ['put the rows together']
      const distinct = merge.distinct ? ['drop repeated rows'] : []
      const cut = merge.window.limit || merge.window.offset ? ['apply LIMIT and OFFSET'] : []
      return [...sorted, ...distinct, ...cut, `where types need it, PostgreSQL combines: ${merge.combine.final.sql}`]
    }
    case 'aggregate':
      return [
        `merge the partial ${merge.aggregate.groups.length > 0 ? 'groups' : 'aggregates'} in process`,
        `where types need it, PostgreSQL combines: ${merge.combine.final.sql}`,
      ]
    case 'combine':
      return [`PostgreSQL combines (${merge.combine.reason}): ${merge.combine.final.sql}`]
  }
}
