import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import type { createShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'

interface Database {
  wallets: { tenant: ShardKey<number>; id: number; balance: number }
  entries: { tenant: ShardKey<number>; id: string; amount: number }
}

export const schema = defineSchema<Database>()({ tables: { wallets: sharded('tenant'), entries: sharded('tenant') } })
export const tenants = 24

export type LoadRouter = ReturnType<typeof createShardRouter<typeof schema>>

/** Adds one to wallets, and knows what each must hold at least and at most at any time. */
export class Load {
  readonly acknowledged = new Array<number>(tenants).fill(0)
  readonly entered = new Array<number>(tenants).fill(0)
  readonly faults: string[] = []
  writes = 0
  reads = 0
  again = 0
  readonly #started = new Array<number>(tenants).fill(0)
  readonly #router: LoadRouter
  #stopped = false

  constructor(router: LoadRouter) {
    this.#router = router
  }

  stop(): void {
    this.#stopped = true
  }

  async run(clients: number): Promise<void> {
    await Promise.all(Array.from({ length: clients }, (_, client) => this.#client(client)))
  }

  async #client(client: number): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      // Every client does something else with a tenant.
      const tenant = (client + turn * 7) % tenants
      try {
        if (turn % 4 === 0) await this.#read(tenant)
        else if (turn % 4 === 1) await this.#add(tenant)
        else if (turn % 4 === 2) await this.#touch(tenant)
        else await this.#transact(tenant)
      } catch (error) {
        const { message, code } = error as { message: string; code?: string }
        this.faults.push(`tenant ${tenant}, turn ${turn % 4}: ${code} ${message}`)
        // Whether it was done is unknown: the ledger would only say so.
        this.#stopped = true
      }
    }
  }

  async #read(tenant: number): Promise<void> {
    const least = this.acknowledged[tenant] as number
    const { balance } = await this.#router.db
      .selectFrom('wallets')
      .select('balance')
      .where('tenant', '=', tenant)
      .executeTakeFirstOrThrow()
    this.reads++
    const most = this.#started[tenant] as number
    if (balance < least || balance > most) this.faults.push(`tenant ${tenant}: ${balance} is not in ${least}..${most}`)
  }

  async #add(tenant: number): Promise<void> {
    this.#started[tenant]!++
    const { numUpdatedRows } = await this.#router.db
      .updateTable('wallets')
      .set({ balance: sql`balance + 1` })
      .where('tenant', '=', tenant)
      .executeTakeFirstOrThrow()
    if (numUpdatedRows !== 1n) this.faults.push(`tenant ${tenant}: ${numUpdatedRows} rows`)
    this.acknowledged[tenant]!++
    this.writes++
  }

  /** Many rows at once: all that were there before, also those that were written a moment ago. */
  async #touch(tenant: number): Promise<void> {
    const least = this.entered[tenant] as number
    const { numUpdatedRows } = await this.#router.db
      .updateTable('entries')
      .set({ amount: sql`amount` })
      .where('tenant', '=', tenant)
      .executeTakeFirstOrThrow()
    const most = this.#started[tenant] as number
    if (numUpdatedRows < least || numUpdatedRows > most)
      this.faults.push(`tenant ${tenant}: ${numUpdatedRows} entries, not ${least}..${most}`)
  }

  /** A transaction that the server rolled back is run again, as any PostgreSQL may ask for. */
  async #transact(tenant: number): Promise<void> {
    this.#started[tenant]!++
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#router
          .for({ tenant })
          .transaction()
          .execute(async (trx) => {
            await trx.updateTable('wallets').set({ balance: sql`balance + 1` }).execute()
            await trx
              .insertInto('entries')
              .values({ tenant, amount: 1 } as never)
              .execute()
          })
        break
      } catch (error) {
        const state = (error as { code?: string }).code ?? ''
        if (attempt === 8 || !/^(40|CITUS_SHARD_MOVED)/.test(state)) throw error
        this.again++
        await new Promise((resolve) => setTimeout(resolve, attempt * 20))
      }
    }
    this.acknowledged[tenant]!++
    this.entered[tenant]!++
    this.writes++
  }
}
