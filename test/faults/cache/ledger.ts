import type { Acknowledged, LedgerEvent, Seen } from './messages.ts'

/** A time in which Redis was disturbed and the stated bound applies instead of 0. */
export interface Disturbance {
  readonly from: number
  readonly to: number
}

export interface Violation {
  readonly read: Seen
  /** The acknowledged write that the reader should have seen. */
  readonly write: Acknowledged
  readonly staleMs: number
}

export interface Verdict {
  readonly reads: number
  readonly writes: number
  readonly externalWrites: number
  readonly violations: readonly Violation[]
  readonly poisoned: number
  /** The oldest value that anybody got, by how long ago its successor had been acknowledged; disturbed times included. */
  readonly largestStaleMs: number
}

export interface Bounds {
  /** For writes past the library. */
  readonly externalMs: number
  /** For reads in a disturbed time. */
  readonly disturbedMs: number
  readonly disturbances: readonly Disturbance[]
}

/**
 * Judges every read: a read that began after a write was acknowledged must give that version or a later one, within the
 * bounds. All events of all processes lie on one clock.
 */
export function judge(events: readonly LedgerEvent[], bounds: Bounds): Verdict {
  const writes = events.filter((event) => event.kind === 'write')
  const reads = events.filter((event) => event.kind === 'read')
  const byWallet = Map.groupBy(writes, (write) => write.wallet)
  for (const list of byWallet.values()) list.sort((a, b) => a.at - b.at)
  const violations: Violation[] = []
  let largestStaleMs = 0
  for (const read of reads) {
    const missed = firstMissed(read, byWallet.get(read.wallet) ?? [])
    if (!missed) continue
    const staleMs = read.from - missed.at
    if (!missed.external) largestStaleMs = Math.max(largestStaleMs, staleMs)
    if (staleMs > boundOf(read, missed, bounds)) violations.push({ read, write: missed, staleMs })
  }
  return {
    reads: reads.length,
    writes: writes.length,
    externalWrites: writes.filter((write) => write.external).length,
    violations,
    poisoned: events.filter((event) => event.kind === 'poison').length,
    largestStaleMs,
  }
}

/** The earliest write that was acknowledged before the read began and is newer than what the read gave. */
function firstMissed(read: Seen, writes: readonly Acknowledged[]): Acknowledged | undefined {
  return writes.find((write) => write.at < read.from && write.version > read.version)
}

function boundOf(read: Seen, write: Acknowledged, bounds: Bounds): number {
  const disturbed =
    bounds.disturbances.some((time) => write.at >= time.from && write.at <= time.to) ||
    bounds.disturbances.some((time) => read.from >= time.from && read.from <= time.to)
  return Math.max(write.external ? bounds.externalMs : 0, disturbed ? bounds.disturbedMs : 0)
}
