import { compareLsn } from '@shardwright/core'

const kept = 1_000

/**
 * When a primary had written how far. PostgreSQL's own replay_lag stands still while a replica does not replay, so the time is
 * measured here: since when has the primary had what the replica has not?
 */
export class LagHistory {
  readonly #marks: { readonly lsn: string; readonly atMs: number }[] = []

  /** `lsn` is the primary's position at `nowMs` (monotonic). */
  mark(lsn: string, nowMs: number): void {
    const last = this.#marks.at(-1)
    // After a failover or a restore the position may be an earlier one: what was known of the old line is void.
    if (last && compareLsn(lsn, last.lsn) < 0) this.#marks.length = 0
    if (last && this.#marks.length > 0 && lsn === last.lsn) return
    this.#marks.push({ lsn, atMs: nowMs })
    // Every second one of the older half goes: long lags are known less finely, and the start is kept.
    if (this.#marks.length > kept) this.#thin()
  }

  /** How long, at least, the replica has been behind, in milliseconds; 0 when it has replayed the last mark. */
  behindMs(replayed: string, nowMs: number): number {
    const missing = this.#marks.find(({ lsn }) => compareLsn(lsn, replayed) > 0)
    return missing === undefined ? 0 : nowMs - missing.atMs
  }

  #thin(): void {
    const marks = this.#marks.filter((_, index) => index > kept / 2 || index % 2 === 0)
    this.#marks.splice(0, this.#marks.length, ...marks)
  }
}
