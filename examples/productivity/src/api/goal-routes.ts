import { randomUUID } from 'node:crypto'
import { HttpError, parse, type Route } from '@shardwright/example-support'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Productivity } from '../productivity.ts'
import { goals } from '../schema/repositories.ts'
import { idOf, title } from './shapes.ts'

const newGoal = z.strictObject({ title, target: z.int().min(1).max(1_000_000) })
const progress = z.strictObject({ by: z.int().min(1).max(1_000_000) })

export const goalRoutes: readonly Route<Productivity>[] = [
  {
    method: 'POST',
    path: /^\/users\/(?<user>[^/]+)\/goals$/,
    status: 201,
    handle: async ({ router }, { path, body }) => {
      const user_id = idOf(path.user)
      return await goals.with(router.for({ user_id })).insert({ user_id, id: randomUUID(), ...parse(newGoal, body) })
    },
  },
  {
    // An expression: two requests at once both count.
    method: 'POST',
    path: /^\/users\/(?<user>[^/]+)\/goals\/(?<goal>[^/]+)\/progress$/,
    handle: async ({ router }, { path, body }) => {
      const id = { user_id: idOf(path.user), id: idOf(path.goal) }
      const { by } = parse(progress, body)
      const goal = await goals
        .with(router.for({ user_id: id.user_id }))
        .update(id, { progress: sql<number>`least(target, progress + ${by})` })
      if (goal === undefined) throw new HttpError(404, 'There is no such goal.')
      return goal
    },
  },
  {
    method: 'GET',
    path: /^\/users\/(?<user>[^/]+)\/goals$/,
    handle: async ({ router }, { path }) =>
      await goals.with(router.db).findMany({ user_id: idOf(path.user) }, { orderBy: ['title', 'id'] }),
  },
]
