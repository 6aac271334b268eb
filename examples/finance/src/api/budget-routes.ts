import { parse, type Route } from '@shardwright/example-support'
import { z } from 'zod'
import type { Finance } from '../finance.ts'
import { budgets } from '../schema/repositories.ts'

const budget = z.strictObject({
  monthlyLimit: z.string().regex(/^(?!0+(\.0+)?$)\d{1,12}(\.\d{1,2})?$/, 'is more than 0'),
})

export const budgetRoutes: readonly Route<Finance>[] = [
  {
    method: 'PUT',
    path: /^\/users\/(?<user>[^/]+)\/budgets\/(?<category>[^/]+)$/,
    handle: async ({ router }, { path, body }) => {
      const user_id = parse(z.uuid(), path.user)
      const category = parse(z.string().min(1).max(100), path.category)
      const { monthlyLimit } = parse(budget, body)
      return await budgets.with(router.for({ user_id })).upsert({ user_id, category, monthly_limit: monthlyLimit })
    },
  },
  {
    method: 'GET',
    path: /^\/users\/(?<user>[^/]+)\/budgets$/,
    handle: async ({ router, views }, { path }) => {
      const user_id = parse(z.uuid(), path.user)
      const rows = await router.db
        .selectFrom('budget_utilization')
        .selectAll()
        .where('user_id', '=', user_id)
        .orderBy('month')
        .orderBy('category')
        .execute()
      return { asOf: await views.oldestRefreshedAt('budget_utilization'), rows }
    },
  },
]
