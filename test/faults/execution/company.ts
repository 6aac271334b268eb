import { pause } from './disturbance.ts'
import type { openRouter } from './store.ts'

type Router = ReturnType<typeof openRouter>

/**
 * What else runs beside the writers: fan-outs that may lack shards, streams that are left early, transactions that are
 * rolled back, and statements with a signal that is aborted or a deadline that is over. Nobody checks their answers; they
 * must leave nothing.
 */
export class Company {
  readonly #router: Router
  readonly #signal: AbortSignal
  #stopped = false
  #running: Promise<void> | undefined

  constructor(router: Router, signal: AbortSignal) {
    this.#router = router
    this.#signal = signal
  }

  start(): void {
    this.#running = this.#work()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #work(): Promise<void> {
    const kinds = [this.#partial, this.#late, this.#leftEarly, this.#rolledBack, this.#aborted]
    for (let turn = 0; !this.#stopped; turn++) {
      await kinds[turn % kinds.length]!.call(this, turn).catch(() => {})
      await pause(10)
    }
  }

  async #partial(): Promise<void> {
    const counted = this.#router
      .fanOut({ deadlineMs: 1_000 })
      .selectFrom('entries')
      .select(({ fn }) => fn.countAll().as('n'))
    await this.#router.collect(counted, { partial: true })
  }

  async #late(): Promise<void> {
    await this.#router.fanOut({ deadlineMs: 3 }).selectFrom('entries').selectAll().orderBy('id').execute()
  }

  async #leftEarly(): Promise<void> {
    for await (const _ of this.#router.fanOut().selectFrom('entries').selectAll().stream(50)) break
  }

  async #rolledBack(account: number): Promise<void> {
    await this.#router.db.transaction().execute(async (trx) => {
      await trx.insertInto('entries').values({ account, id: 'rolled back' }).execute()
      throw new Error('rolled back')
    })
  }

  async #aborted(account: number): Promise<void> {
    const read = this.#router.db.selectFrom('accounts').selectAll().where('account', '=', account)
    await read.execute({ signal: this.#signal })
    const own = AbortSignal.any([this.#signal, AbortSignal.timeout(2)])
    await read.execute({ signal: own, inflightQueryAbortStrategy: 'ignore query' })
  }
}
