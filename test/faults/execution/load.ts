import { ReadContext, runInReadContext } from '@shardwright/core'
import { decodeReadContext, encodeReadContext } from '@shardwright/shard-router'
import { pause } from './disturbance.ts'
import type { openRouter } from './store.ts'
import type { Outcome, WriteLedger } from './write-ledger.ts'

type Router = ReturnType<typeof openRouter>

export interface LoadOptions {
  /** Given with the reads. */
  readonly signal: AbortSignal
  /** Reads without their tokens, to see that the suite notices what they miss. */
  readonly forgetTokens?: boolean
}

/**
 * Writers of one shard: autocommit inserts and transactions, a few under one token, which goes through a cookie between
 * them. After each, everything that was written under the token is read.
 */
export class Load {
  readonly #router: Router
  readonly #ledger: WriteLedger
  readonly #shard: string
  readonly #accounts: readonly number[]
  readonly #options: LoadOptions
  readonly #workers: Promise<void>[] = []
  #stopped = false
  #turn = 0

  constructor(router: Router, ledger: WriteLedger, shard: string, accounts: readonly number[], options: LoadOptions) {
    this.#options = options
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
      const account = this.#accounts[this.#turn % this.#accounts.length]!
      const written: string[] = []
      let cookie: string | undefined
      for (let step = 0; step < 4 && !this.#stopped; step++) {
        // So much is asked, and no more: a machine at its limit would give a dead shard's share to its neighbours, and
        // hide what they lose. The ledger keeps every write: a run of hours must fit into memory.
        await pause(10)
        const context = cookie === undefined ? new ReadContext() : decodeReadContext(cookie)
        await runInReadContext(context, () => this.#write(account, written))
        cookie = encodeReadContext(context)
      }
    }
  }

  async #write(account: number, written: string[]): Promise<void> {
    const turn = this.#turn++
    const id = `${this.#shard}-${turn}`
    const counted = turn % 3 === 0
    const entry = this.#ledger.begin(id, this.#shard, counted)
    try {
      if (counted) await this.#transaction(account, id)
      else await this.#router.db.insertInto('entries').values({ account, id }).execute()
      this.#ledger.end(entry, 'acknowledged')
      written.push(id)
    } catch (error) {
      this.#ledger.end(entry, outcomeOf(error), error)
      // Nothing to gain from asking a dead server ten thousand times a second.
      await pause(20)
    }
    const read = () => this.#readBack(account, written)
    if (written.length > 0) await (this.#options.forgetTokens ? runInReadContext(new ReadContext(), read) : read())
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

  async #readBack(account: number, written: readonly string[]): Promise<void> {
    try {
      const rows = await this.#router.db
        .selectFrom('entries')
        .select('id')
        .where('account', '=', account)
        .where('id', 'in', written)
        .execute({ signal: this.#options.signal })
      const found = new Set(rows.map((row) => row.id))
      this.#ledger.backward.push(...written.filter((id) => !found.has(id)))
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
