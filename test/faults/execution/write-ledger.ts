/** How a write ended for its caller. `unsure`: the connection went away while it ran. */
export type Outcome = 'pending' | 'acknowledged' | 'refused' | 'unsure'

export interface LedgerEntry {
  readonly id: string
  readonly shard: string
  /** Counts up the account's row in the same transaction. */
  readonly counted: boolean
  readonly outcome: Outcome
}

/** What every caller was told, to be held against what is stored at the end. */
export class WriteLedger {
  readonly #entries = new Map<string, LedgerEntry>()
  readonly #acknowledged = new Map<string, number>()
  readonly #failed = new Map<string, number>()
  readonly #lastFailure = new Map<string, unknown>()
  /** Reads under a token that did not find the write of the token. */
  readonly backward: string[] = []

  begin(id: string, shard: string, counted: boolean): LedgerEntry {
    const entry: LedgerEntry = { id, shard, counted, outcome: 'pending' }
    this.#entries.set(id, entry)
    return entry
  }

  end(entry: LedgerEntry, outcome: Outcome, failure?: unknown): void {
    this.#entries.set(entry.id, { ...entry, outcome })
    if (failure !== undefined) this.#lastFailure.set(entry.shard, failure)
    if (outcome === 'acknowledged') this.#acknowledged.set(entry.shard, this.acknowledgedOn(entry.shard) + 1)
    else this.#failed.set(entry.shard, this.failedOn(entry.shard) + 1)
  }

  get entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()]
  }

  /** Refused or unsure. */
  failedOn(shard: string): number {
    return this.#failed.get(shard) ?? 0
  }

  lastFailureOn(shard: string): unknown {
    return this.#lastFailure.get(shard)
  }

  acknowledgedOn(shard: string): number {
    return this.#acknowledged.get(shard) ?? 0
  }
}
