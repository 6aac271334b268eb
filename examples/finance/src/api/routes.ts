import type { Route } from '@shardwright/example-support'
import type { Finance } from '../finance.ts'
import { budgetRoutes } from './budget-routes.ts'
import { spendingRoutes } from './spending-routes.ts'
import { transactionRoutes } from './transaction-routes.ts'

export const routes: readonly Route<Finance>[] = [...transactionRoutes, ...budgetRoutes, ...spendingRoutes]
