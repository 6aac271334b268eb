import { canonicalKey, type Lookup, lookupRowColumn } from '@shardwright/core'
import type { RouterState } from '../execute/context.ts'
import { quote } from '../merge/relation.ts'
import type { Statement } from '../pool/shard-pool.ts'
import type { RouterTransaction } from '../transaction/router-transaction.ts'
import { valueTypeOf } from './load-lookups.ts'
import { uniqueError } from './unique-error.ts'

/** What the triggers of a lookup noted: a row gained or lost a value. */
interface Change {
  readonly lookup: Lookup
  readonly value: string
  readonly key: string
  readonly row: string
  readonly gained: boolean
}

const takeStatement: Statement = Object.freeze({
  sql: `select pg_catalog.current_setting('shardwright.lookup_changes', true) as noted, pg_catalog.set_config('shardwright.lookup_changes', '-', true) as rest`,
  parameters: [],
  access: 'read',
  rows: 'objects',
})

/**
 * Brings the lookups after a statement to what its rows are now, in its own transaction: what was noted on `shards` is
 * taken, and the entries follow. First all that went, then all that came, so that a value may change hands.
 * @throws DatabaseError 23505 when a value of a unique lookup stands in another row
 */
export async function keepLookups(
  transaction: RouterTransaction,
  shards: readonly number[],
  state: RouterState,
): Promise<void> {
  const noted = await Promise.all(shards.map((shard) => transaction.execute(shard, takeStatement)))
  const changes = netChanges(
    noted.flatMap(({ rows }) => (rows[0] as { noted: string | null }).noted?.split('\n').slice(1) ?? []),
    state,
  )
  const groups = [...byEntries(changes, state).values()]
  await Promise.all(groups.map((group) => write(group, false, transaction, state)))
  await Promise.all(groups.map((group) => write(group, true, transaction, state)))
}

/** A row that lost a value on one shard and gained it on another changed only what it leads to. */
function netChanges(lines: readonly string[], state: RouterState): readonly Change[] {
  const sums = new Map<string, number>()
  for (const line of lines) {
    const [name, value, key, row, delta] = JSON.parse(line) as [string, string, string, string, number]
    const change = JSON.stringify([name, value, key, row])
    sums.set(change, (sums.get(change) ?? 0) + delta)
  }
  return [...sums].flatMap(([text, sum]) => {
    const [name, value, key, row] = JSON.parse(text) as [string, string, string, string]
    const lookup = state.schema.lookups.find((candidate) => candidate.name === name)
    return lookup === undefined || sum === 0 ? [] : [{ lookup, value, key, row, gained: sum > 0 }]
  })
}

interface Group {
  readonly lookup: Lookup
  readonly shard: number
  readonly changes: Change[]
}

function byEntries(changes: readonly Change[], state: RouterState): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>()
  for (const change of changes) {
    const { lookup, value } = change
    const type = valueTypeOf(lookup, state.catalog)
    const place = { family: lookup.entries.family, type, value: canonicalKey(type, value) }
    const shard = state.engine.locate(place)
    const name = `${lookup.name} ${shard}`
    const group = groups.get(name)
    if (group) group.changes.push(change)
    else groups.set(name, { lookup, shard, changes: [change] })
  }
  return groups
}

async function write(
  { lookup, shard, changes }: Group,
  gained: boolean,
  transaction: RouterTransaction,
  state: RouterState,
): Promise<void> {
  // In one order everywhere, so that two writers of the same values do not wait for each other.
  const part = changes.filter((change) => change.gained === gained).sort((a, b) => (a.value < b.value ? -1 : 1))
  if (part.length === 0) return
  const parameters = [part.map(({ value }) => value), part.map(({ key }) => key), part.map(({ row }) => row)]
  const run = (sql: string) => transaction.execute(shard, { sql, parameters, access: 'write', rows: 'objects' })
  try {
    if (gained) return void (await run(insertEntriesSql(lookup, state)))
    const { rowCount } = await run(deleteEntriesSql(lookup, state))
    if (rowCount === part.length) return
    // Who wrote the row may be committed there and prepared here still: its entry is waited for.
    await run(claimEntriesSql(lookup, state))
    await run(deleteEntriesSql(lookup, state))
  } catch (error) {
    throw uniqueError(error, lookup, state)
  }
}

function insertEntriesSql(lookup: Lookup, state: RouterState): string {
  // A row's entry may be there, from a repair; writing it anew holds it against one that takes it away.
  return lookup.unique ? insertSql(lookup, state) : claimEntriesSql(lookup, state)
}

/** Makes entries where there are none, and waits for those that another transaction is about to make. */
function claimEntriesSql(lookup: Lookup, state: RouterState): string {
  const target = lookup.unique ? [lookup.column] : columnsOf(lookup)
  return `${insertSql(lookup, state)} on conflict (${target.map(quote).join(', ')}) do update set ${lookupRowColumn} = e.${lookupRowColumn}`
}

function insertSql(lookup: Lookup, state: RouterState): string {
  const columns = columnsOf(lookup).map(quote).join(', ')
  return `insert into ${entriesOf(lookup)} as e (${columns}) select ${typedValues(lookup, state).join(', ')} from ${source} order by g.value`
}

function deleteEntriesSql(lookup: Lookup, state: RouterState): string {
  const values = typedValues(lookup, state)
  const same = columnsOf(lookup).map((column, index) => `e.${quote(column)} = ${values[index]}`)
  return `delete from ${entriesOf(lookup)} as e using ${source} where ${same.join(' and ')}`
}

const source = 'unnest($1::text[], $2::text[], $3::text[]) as g (value, key, line)'

/** The columns of entries, in the order of `source`. */
function columnsOf({ column, table }: Lookup): readonly string[] {
  return [column, table.key, lookupRowColumn]
}

function typedValues(lookup: Lookup, state: RouterState): readonly string[] {
  const { entries } = lookup
  const described = state.catalog.table(entries.schema, entries.table)?.columns ?? []
  const names = ['value', 'key', 'line']
  return columnsOf(lookup).map((column, index) => {
    const type = described.find(({ name }) => name === column)?.type ?? 'text'
    return `g.${names[index]}::${type}`
  })
}

function entriesOf({ entries }: Lookup): string {
  return `${quote(entries.schema)}.${quote(entries.table)}`
}
