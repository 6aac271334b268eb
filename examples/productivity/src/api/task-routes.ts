import { randomUUID } from 'node:crypto'
import { HttpError, parse, type Route } from '@shardwright/example-support'
import { z } from 'zod'
import type { Productivity } from '../productivity.ts'
import { tasks } from '../schema/repositories.ts'
import { idOf, title } from './shapes.ts'

const newTask = z.strictObject({ title })
const list = z.strictObject({ open: z.enum(['true', 'false']).default('false') })

export const taskRoutes: readonly Route<Productivity>[] = [
  {
    method: 'POST',
    path: /^\/users\/(?<user>[^/]+)\/tasks$/,
    status: 201,
    handle: async ({ router }, { path, body }) => {
      const user_id = idOf(path.user)
      const { title } = parse(newTask, body)
      return await tasks.with(router.for({ user_id })).insert({ user_id, id: randomUUID(), title, done_at: null })
    },
  },
  {
    method: 'GET',
    path: /^\/users\/(?<user>[^/]+)\/tasks$/,
    handle: async ({ router }, { path, query }) => {
      const user_id = idOf(path.user)
      const { open } = parse(list, Object.fromEntries(query))
      return await tasks
        .with(router.db)
        .findMany(open === 'true' ? { user_id, done_at: null } : { user_id }, { orderBy: ['created_at', 'id'] })
    },
  },
  {
    method: 'PUT',
    path: /^\/users\/(?<user>[^/]+)\/tasks\/(?<task>[^/]+)\/done$/,
    handle: async ({ router }, { path }) => {
      const id = { user_id: idOf(path.user), id: idOf(path.task) }
      const task = await tasks.with(router.for({ user_id: id.user_id })).update(id, { done_at: new Date() })
      return task ?? notFound()
    },
  },
  {
    method: 'DELETE',
    path: /^\/users\/(?<user>[^/]+)\/tasks\/(?<task>[^/]+)$/,
    handle: async ({ router }, { path }) => {
      const id = { user_id: idOf(path.user), id: idOf(path.task) }
      if (!(await tasks.with(router.for({ user_id: id.user_id })).delete(id))) notFound()
      return id
    },
  },
]

function notFound(): never {
  throw new HttpError(404, 'There is no such task.')
}
