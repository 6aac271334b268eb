import { HttpError, parse, type Route } from '@shardwright/example-support'
import { z } from 'zod'
import type { Productivity } from '../productivity.ts'
import { users } from '../schema/repositories.ts'
import { idOf, title } from './shapes.ts'

const user = z.strictObject({ name: title })

export const userRoutes: readonly Route<Productivity>[] = [
  {
    method: 'PUT',
    path: /^\/users\/(?<user>[^/]+)$/,
    handle: async ({ router }, { path, body }) => {
      const id = idOf(path.user)
      return await users.with(router.db).upsert({ id, ...parse(user, body) })
    },
  },
  {
    method: 'GET',
    path: /^\/users\/(?<user>[^/]+)$/,
    handle: async ({ router }, { path }) => {
      const found = await users.with(router.db).findById({ id: idOf(path.user) })
      if (found === undefined) throw new HttpError(404, 'There is no such user.')
      return found
    },
  },
  {
    method: 'GET',
    path: /^\/users\/(?<user>[^/]+)\/stats$/,
    handle: async ({ router, views }, { path }) => {
      const stats = await router.db
        .selectFrom('user_stats')
        .select(['tasks', 'done'])
        .where('user_id', '=', idOf(path.user))
        .executeTakeFirst()
      return { asOf: await views.oldestRefreshedAt('user_stats'), ...(stats ?? { tasks: '0', done: '0' }) }
    },
  },
  {
    // Of all users, so of all shards.
    method: 'GET',
    path: /^\/stats$/,
    handle: async ({ router, views }) => {
      const totals = await router
        .fanOut()
        .selectFrom('user_stats')
        .select(({ fn, val }) => [
          fn.countAll<string>().as('users'),
          fn.coalesce(fn.sum<string>('tasks'), val('0')).as('tasks'),
          fn.coalesce(fn.sum<string>('done'), val('0')).as('done'),
        ])
        .executeTakeFirstOrThrow()
      return { asOf: await views.oldestRefreshedAt('user_stats'), ...totals }
    },
  },
  {
    method: 'POST',
    path: /^\/views\/refresh$/,
    handle: async ({ views }) => (await views.refresh()).map(({ view, shard, outcome }) => ({ view, shard, outcome })),
  },
]
