import type { Route } from '@shardwright/example-support'
import type { Productivity } from '../productivity.ts'
import { goalRoutes } from './goal-routes.ts'
import { habitRoutes } from './habit-routes.ts'
import { taskRoutes } from './task-routes.ts'
import { userRoutes } from './user-routes.ts'

export const routes: readonly Route<Productivity>[] = [...userRoutes, ...taskRoutes, ...habitRoutes, ...goalRoutes]
