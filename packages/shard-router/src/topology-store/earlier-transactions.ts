import type { Lookout } from './lookout.ts'
import { openTransactions, preparedTransactions } from './store-tables.ts'

interface TransactionRow {
  readonly transaction: string
}

/** The transactions of one shard that were there at the first look. Those that begin later are nobody's concern. */
export class EarlierTransactions {
  readonly #lookout: Lookout
  readonly #sql: string
  #first: ReadonlySet<string> | undefined

  private constructor(lookout: Lookout, sql: string) {
    this.#lookout = lookout
    this.#sql = sql
  }

  static open(lookout: Lookout): EarlierTransactions {
    return new EarlierTransactions(lookout, openTransactions)
  }

  /** To be looked at when no open one is left: until then one of them may be prepared. */
  static prepared(lookout: Lookout): EarlierTransactions {
    return new EarlierTransactions(lookout, preparedTransactions)
  }

  /** Those that are not over yet. */
  async find(): Promise<readonly TransactionRow[]> {
    const rows = await this.#lookout.ask<TransactionRow>(this.#sql)
    this.#first ??= new Set(rows.map((row) => row.transaction))
    const first = this.#first
    return rows.filter((row) => first.has(row.transaction))
  }
}
