import type { RouterState } from '../execute/context.ts'
import { quote } from '../merge/relation.ts'
import { canonicalValues } from '../plan/key/evaluate-keys.ts'
import type { LookupKeys } from '../plan/key/key-set.ts'
import type { CallValues, LookupAnswers } from '../plan/source.ts'
import type { Statement, StatementResult } from '../pool/shard-pool.ts'
import type { RouterTransaction } from '../transaction/router-transaction.ts'
import { valueTypeOf } from './load-lookups.ts'

interface Entry {
  readonly key: string
  /** Another one when the entry was written anew, even with the same key. */
  readonly version: string
}

/** What the entries said at one moment. */
export class ResolvedLookups implements LookupAnswers {
  readonly #entries: ReadonlyMap<string, readonly Entry[]>
  /** Values that were asked for. */
  readonly values: number
  /** The shards whose entries were read. */
  readonly shards: readonly number[]

  constructor(entries: ReadonlyMap<string, readonly Entry[]>, values: number, shards: readonly number[]) {
    this.#entries = entries
    this.values = values
    this.shards = shards
  }

  keysOf(set: LookupKeys): readonly string[] | 'all' {
    return this.#entries.get(set.signature)?.map(({ key }) => key) ?? 'all'
  }

  get empty(): boolean {
    return [...this.#entries.values()].every((entries) => entries.length === 0)
  }

  equals(other: ResolvedLookups): boolean {
    return this.#fingerprint() === other.#fingerprint()
  }

  #fingerprint(): string {
    const lines = [...this.#entries].map(([name, entries]) => [name, entries.map(({ version }) => version).sort()])
    return JSON.stringify(lines)
  }
}

/** How the entries are read: in the statement's own transaction, when that can reach them, else by themselves. */
export type ReadEntries = (shard: number, statement: Statement) => Promise<StatementResult>

export function entriesReader(state: RouterState, transaction: RouterTransaction | undefined): ReadEntries {
  if (transaction?.spansShards) return (shard, statement) => transaction.execute(shard, statement)
  return (shard, statement) => state.pool.execute(shard, statement, { reads: 'primary' })
}

/** Reads to which keys the lookups of a statement lead, for the values of one call. */
export async function resolveLookups(
  lookups: readonly LookupKeys[],
  call: CallValues,
  state: RouterState,
  read: ReadEntries,
): Promise<ResolvedLookups> {
  const entries = new Map<string, Entry[]>()
  const shards = new Set<number>()
  let asked = 0
  const reads = lookups
    .filter(({ lookup }) => state.catalog.lookupReady(lookup.name))
    .flatMap((set) => {
      const groups = valuesByShard(set, call, state)
      if (groups === 'all') return []
      const found: Entry[] = []
      entries.set(set.signature, found)
      return [...groups].map(async ([shard, values]) => {
        asked += values.length
        shards.add(shard)
        const { rows } = await read(shard, entriesStatement(set, values, state))
        for (const { key, version } of rows as Entry[]) found.push({ key, version: `${shard} ${version}` })
      })
    })
  await Promise.all(reads)
  return new ResolvedLookups(entries, asked, [...shards])
}

function valuesByShard(set: LookupKeys, call: CallValues, state: RouterState): 'all' | Map<number, string[]> {
  const { family } = set.lookup.entries
  const type = valueTypeOf(set.lookup, state.catalog)
  const values = canonicalValues(set.values, call, { places: state.engine, family, type, observer: undefined })
  if (values === 'all') return 'all'
  const groups = new Map<number, string[]>()
  for (const value of values) {
    const shard = state.engine.locate({ family, type, value })
    const group = groups.get(shard)
    if (group) group.push(value)
    else groups.set(shard, [value])
  }
  return groups
}

function entriesStatement({ lookup }: LookupKeys, values: readonly string[], state: RouterState): Statement {
  const { schema, table, key: column } = lookup.entries
  const key = lookup.table.key
  const type = state.catalog.table(schema, table)?.columns.find(({ name }) => name === column)?.type ?? 'text'
  return {
    sql: `select ${quote(key)}::text as key, ${quote(key)}::text || ' ' || xmin::text as version from ${quote(schema)}.${quote(table)} where ${quote(column)} = any($1::text[]::${type}[])`,
    parameters: [values],
    access: 'read',
    rows: 'objects',
  }
}
