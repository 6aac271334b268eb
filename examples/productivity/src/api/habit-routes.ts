import { randomUUID } from 'node:crypto'
import { parse, type Route } from '@shardwright/example-support'
import { z } from 'zod'
import type { Productivity } from '../productivity.ts'
import { habitDays, habits } from '../schema/repositories.ts'
import { idOf, title } from './shapes.ts'

const newHabit = z.strictObject({ name: title })

export const habitRoutes: readonly Route<Productivity>[] = [
  {
    method: 'POST',
    path: /^\/users\/(?<user>[^/]+)\/habits$/,
    status: 201,
    handle: async ({ router }, { path, body }) => {
      const user_id = idOf(path.user)
      const { name } = parse(newHabit, body)
      return await habits.with(router.for({ user_id })).insert({ user_id, id: randomUUID(), name })
    },
  },
  {
    // Said twice, a day counts once.
    method: 'PUT',
    path: /^\/users\/(?<user>[^/]+)\/habits\/(?<habit>[^/]+)\/days\/(?<day>[^/]+)$/,
    handle: async ({ router }, { path }) => {
      const user_id = idOf(path.user)
      const day = parse(z.iso.date(), path.day)
      return await habitDays.with(router.for({ user_id })).upsert({ user_id, habit_id: idOf(path.habit), day })
    },
  },
  {
    method: 'GET',
    path: /^\/users\/(?<user>[^/]+)\/habits$/,
    handle: async ({ router }, { path }) =>
      await router
        .for({ user_id: idOf(path.user) })
        .selectFrom('habits as h')
        .leftJoin('habit_days as d', (join) =>
          join.onRef('d.user_id', '=', 'h.user_id').onRef('d.habit_id', '=', 'h.id'),
        )
        .groupBy(['h.user_id', 'h.id', 'h.name'])
        .select(({ fn }) => ['h.id', 'h.name', fn.count<string>('d.day').as('days'), fn.max('d.day').as('last')])
        .orderBy('h.name')
        .execute(),
  },
]
