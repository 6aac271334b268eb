import { describe, expect, it } from 'vitest'
import { followAcrossShards } from '../src/index.ts'
import { connect, rowsOf, useServer, withDeadShard } from './support/databases.ts'

const server = useServer()

interface Database {
  users: { id: number; nick: string | null }
  orders: { festival_id: string; id: number; user_id: number; user_nick: string | null }
}
const nicks = followAcrossShards<Database>({
  from: 'users.nick',
  to: 'orders.user_nick',
  on: { from: 'id', to: 'user_id' },
})
const sql = `
  create table users (id int8 primary key, nick varchar(40));
  create table orders (festival_id text, id int, user_id int8, user_nick varchar(40), primary key (festival_id, id));`

/** Even users on the first shard, odd ones on the second; each has an order on both. */
async function prepare() {
  const fleet = await server.fleet(sql, 2)
  for (const at of [0, 1]) {
    await rowsOf(fleet, `insert into users select n, 'n' || n from generate_series(1, 40) n where n % 2 = ${at}`, at)
    await rowsOf(
      fleet,
      "insert into orders select 'f', n, n, case when n < 9 then 'stale' end from generate_series(1, 40) n",
      at,
    )
  }
  await nicks.install(fleet)
  return fleet
}
const nickOf = (fleet: Awaited<ReturnType<typeof prepare>>, user: number) =>
  Promise.all(
    [0, 1].map(
      async (at) =>
        (
          await rowsOf<{ n: string }>(
            fleet,
            `select user_nick as n from orders where user_id = ${user} and id = user_id`,
            at,
          )
        )[0]?.n,
    ),
  )

describe('followAcrossShards', () => {
  it('brings what exists into step, and then what changes on either side', async () => {
    const fleet = await prepare()
    expect(await nicks.verify(fleet)).toBe(80)
    expect(await nicks.propagate(fleet)).toEqual({ outcome: 'propagated', keys: 40, rows: 80 })
    expect(await nicks.verify(fleet)).toBe(0)
    expect(await nicks.propagate(fleet)).toEqual({ outcome: 'propagated', keys: 0, rows: 0 })
    await rowsOf(fleet, "update users set nick = 'new' where id = 3", 1)
    await rowsOf(fleet, 'delete from users where id = 4', 0)
    await rowsOf(fleet, "insert into orders values ('f', 100, 5, 'wrong')", 0)
    expect(await nicks.verify(fleet)).toBe(5)
    expect(await nicks.propagate(fleet)).toEqual({ outcome: 'propagated', keys: 3, rows: 5 })
    expect(await nickOf(fleet, 3)).toEqual(['new', 'new'])
    expect(await nickOf(fleet, 4)).toEqual([null, null])
    expect(await nicks.verify(fleet)).toBe(0)
  })

  it('loses no change when it fails half-way, and does not run twice at once', async () => {
    const fleet = await prepare()
    await nicks.propagate(fleet)
    await rowsOf(fleet, "update users set nick = 'new' where id = 3", 1)
    await expect(nicks.propagate(withDeadShard(fleet))).rejects.toMatchObject({ code: 'SHARD_UNREACHABLE' })
    // The second shard refuses its update after the first has taken its own.
    await rowsOf(fleet, "alter table orders add constraint refused check (user_nick <> 'new')", 1)
    await expect(nicks.propagate(fleet)).rejects.toThrow(/refused/)
    expect(await nickOf(fleet, 3)).toEqual(['new', 'n3'])
    await rowsOf(fleet, 'alter table orders drop constraint refused', 1)
    await using connection = await connect(fleet)
    const names = await rowsOf<{ step: string }>(fleet, 'select distinct step from shardwright.step_changes', 1)
    await connection.query('select pg_advisory_lock(hashtextextended($1, 11))', [`shardwright.step:${names[0]?.step}`])
    expect(await nicks.propagate(fleet)).toEqual({ outcome: 'busy', keys: 0, rows: 0 })
    await connection.query('select pg_advisory_unlock_all()')
    expect(await nicks.propagate(fleet)).toEqual({ outcome: 'propagated', keys: 1, rows: 1 })
    expect(await nickOf(fleet, 3)).toEqual(['new', 'new'])
  })

  it('keeps the note of a change that commits after the values were read', async () => {
    const fleet = await prepare()
    await nicks.propagate(fleet)
    await using writer = await connect(fleet, 1)
    await writer.script("begin; update users set nick = 'late' where id = 7")
    expect((await nicks.propagate(fleet)).keys).toBe(0)
    await writer.script('commit')
    expect((await nicks.propagate(fleet)).rows).toBe(2)
    expect(await nickOf(fleet, 7)).toEqual(['late', 'late'])
  })
})
