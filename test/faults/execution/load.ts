import { ReadContext, runInReadContext } from '@shardwright/core'
import { pause } from './disturbance.ts'
import type { openRouter } from './store.ts'
import type { Outcome, WriteLedger } from './write-ledger.ts'

type Router = ReturnType<typeof openRouter>

/** Writers of one shard: autocommit inserts and transactions, each followed by a read under its token. */
export class Load {
  readonly #router: Router
  readonly #ledger: WriteLedger
  readonly #shard: string
  readonly #accounts: readonly number[]
  readonly #workers: Promise<void>[] = []
  #stopped = false
  #turn = 0

  constructor(router: Router, ledger: WriteLedger, shard: string, accounts: readonly number[]) {
    this.#router = router
    this.#ledger = ledger
    this.#shard = shard
    this.#accounts = accounts
  }

  start(workers: number): void {
    for (let worker = 0; worker < workers; worker++) this.#workers.push(this.#work())
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#workers)
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const turn = this.#turn++
      const account = this.#accounts[turn % this.#accounts.length]!
      // The ledger keeps every write: a run of hours must fit into memory.
      await pause(2)
      await runInReadContext(new ReadContext(), () => this.#write(account, `${this.#shard}-${turn}`, turn % 3 === 0))
    }
  }

  async #write(account: number, id: string, counted: boolean): Promise<void> {
    const entry = this.#ledger.begin(id, this.#shard, counted)
    try {
      if (counted) await this.#transaction(account, id)
      else await this.#router.db.insertInto('entries').values({ account, id }).execute()
      this.#ledger.end(entry, 'acknowledged')
    } catch (error) {
      this.#ledger.end(entry, outcomeOf(error))
      // Nothing to gain from asking a dead server ten thousand times a second.
      await pause(20)
      return
    }
    await this.#readBack(account, id)
  }

  async #transaction(account: number, id: string): Promise<void> {
    await this.#router.db.transaction().execute(async (trx) => {
      await trx.insertInto('entries').values({ account, id }).execute()
      await trx
        .updateTable('accounts')
        .set((eb) => ({ n: eb('n', '+', 1) }))
        .where('account', '=', account)
        .execute()
    })
  }

  async #readBack(account: number, id: string): Promise<void> {
    try {
      const found = await this.#router.db
        .selectFrom('entries')
        .select('id')
        .where('account', '=', account)
        .where('id', '=', id)
        .execute()
      if (found.length === 0) this.#ledger.backward.push(id)
    } catch {
      // A read that fails says nothing wrong; the shard may be down.
    }
  }
}

const neverSent = new Set(['CIRCUIT_OPEN', 'POOL_TIMEOUT', 'SHARD_OVERLOADED', 'NO_PRIMARY'])

/** What a caller may conclude from an error. */
export function outcomeOf(error: unknown): Outcome {
  const { code, severity, details } = error as { code?: string; severity?: string; details?: { sent?: boolean } }
  if (code !== undefined && neverSent.has(code)) return 'refused'
  if (details?.sent === false) return 'refused'
  // The server answered and goes on: the transaction is rolled back. 57P01 and its like end the session, at any point.
  if (severity !== undefined && code !== undefined && !code.startsWith('57P') && !code.startsWith('08'))
    return 'refused'
  return 'unsure'
}
