import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { Fleet } from '../ports/fleet.ts'
import type { Contract } from './contract.ts'

/**
 * What every Fleet keeps; needs servers that run. Changes nothing that stays.
 * @example
 * for (const { name, check } of fleetContract) it(name, () => check(async () => router.fleet))
 */
export const fleetContract: Contract<Fleet> = Object.freeze([
  {
    name: 'shards have ids of their own, and addresses without secrets',
    check: async (make: () => Promise<Fleet>) => {
      const fleet = await make()
      assert.ok(fleet.topologyId.length > 0)
      assert.ok(fleet.shards.length > 0)
      assert.equal(new Set(fleet.shards.map(({ id }) => id)).size, fleet.shards.length)
      for (const { address } of fleet.shards) assert.ok(!address.includes('@'), 'an address shows a user')
    },
  },
  {
    name: 'a connection is dedicated: what is set on one is not seen on another',
    check: async (make: () => Promise<Fleet>) => {
      for (const shard of (await make()).shards) {
        await using first = await shard.connect()
        await using second = await shard.connect()
        await first.query("select set_config('shardwright.contract', 'first', false)")
        const read = "select coalesce(current_setting('shardwright.contract', true), '') as value"
        assert.equal((await first.query<{ value: string }>(read)).rows[0]?.value, 'first')
        assert.equal((await second.query<{ value: string }>(read)).rows[0]?.value, '')
        assert.equal(first.shardId, shard.id)
      }
    },
  },
  {
    name: 'its Kysely is on the same session, keeps transactions apart, and leaves the connection open',
    check: async (make: () => Promise<Fleet>) => {
      await using connection = await (await make()).shards[0]!.connect()
      await connection.script('create temporary table contract (n int); insert into contract values (0)')
      const db = connection.kysely<{ contract: { n: number } }>()
      const add = async (n: number) =>
        await db.transaction().execute(async (trx) => {
          await trx.insertInto('contract').values({ n }).execute()
          await sql`select pg_sleep(0.005)`.execute(trx)
          if (n < 0) throw new Error('rolled back')
        })
      await Promise.allSettled([add(1), add(-1), add(2), add(-2)])
      const rows = await db.selectFrom('contract').select('n').orderBy('n').execute()
      assert.deepEqual(rows, [{ n: 0 }, { n: 1 }, { n: 2 }])
      await db.destroy()
      assert.equal((await connection.query('select 1')).rowCount, 1)
    },
  },
  {
    name: 'a released connection takes no more statements, and releasing twice is harmless',
    check: async (make: () => Promise<Fleet>) => {
      const connection = await (await make()).shards[0]!.connect()
      await connection.release()
      await connection.release()
      await assert.rejects(connection.query('select 1'))
    },
  },
  {
    name: 'connecting under an aborted signal rejects with its reason',
    check: async (make: () => Promise<Fleet>) => {
      const reason = new Error('enough')
      const connecting = (await make()).shards[0]!.connect({ signal: AbortSignal.abort(reason) })
      await assert.rejects(connecting, (error) => error === reason)
    },
  },
])
