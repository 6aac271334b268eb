import type { LedgerEntry } from './write-ledger.ts'

/** What one shard holds at the end. */
export interface Stored {
  readonly shard: string
  /** How often each id is there; the table has no unique key, so that a write done twice shows. */
  readonly times: ReadonlyMap<string, number>
  /** Sum over the accounts' rows. */
  readonly counted: number
}

/** Every way in which what is stored differs from what the callers were told. Empty when all promises were kept. */
export function checkLedger(entries: readonly LedgerEntry[], stored: readonly Stored[]): readonly string[] {
  return stored.flatMap((shard) => {
    const told = entries.filter((entry) => entry.shard === shard.shard)
    return [...checkEntries(told, shard), ...checkStrangers(told, shard), ...checkCounters(told, shard)]
  })
}

function checkEntries(told: readonly LedgerEntry[], { shard, times }: Stored): string[] {
  return told.flatMap(({ id, outcome }) => {
    const found = times.get(id) ?? 0
    if (found > 1) return [`${shard}: ${id} (${outcome}) is there ${found} times`]
    if (outcome === 'acknowledged' && found === 0) return [`${shard}: ${id} was acknowledged and is lost`]
    if (outcome === 'refused' && found === 1) return [`${shard}: ${id} was refused and is there`]
    if (outcome === 'pending') return [`${shard}: ${id} was never answered`]
    return []
  })
}

function checkStrangers(told: readonly LedgerEntry[], { shard, times }: Stored): string[] {
  const known = new Set(told.map((entry) => entry.id))
  return [...times.keys()].filter((id) => !known.has(id)).map((id) => `${shard}: ${id} was never written by anybody`)
}

function checkCounters(told: readonly LedgerEntry[], { shard, times, counted }: Stored): string[] {
  const expected = told.filter((entry) => entry.counted && times.has(entry.id)).length
  return expected === counted ? [] : [`${shard}: the counters say ${counted}, the entries ${expected}`]
}
