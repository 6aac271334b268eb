import { type Query, render, tagsOf } from '../code.ts'
import { type Answer, difference, isPossible, opennessOf } from '../compare/compare.ts'
import type { Case } from '../generate/case.ts'
import { keyOf, tableNames } from '../world/columns.ts'
import type { AnyKysely } from '../world/database.ts'
import type { OpenWorld } from '../world/open-world.ts'
import { actualAnswer, expectedAnswer } from './evaluate.ts'
import { isExpectedRefusal } from './expected-refusal.ts'
import { filledWrongly } from './filled-wrongly.ts'
import { otherState } from './other-state.ts'
import type { Watch } from './watch.ts'

export type Outcome =
  | { readonly kind: 'equal'; readonly merged: boolean; readonly spread: boolean; readonly rows: number }
  | { readonly kind: 'both failed'; readonly state: string | undefined }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'failed'; readonly why: string }

const needsKey = new Set(['SHARD_KEY_REQUIRED'])

/** Runs a case on the router and on the one database, and compares. Data that a write changed is put back. */
export async function runCase(own: Case, open: OpenWorld, watch: Watch): Promise<Outcome> {
  const one = own.door === 'for' ? await open.confined(own.key) : open.oracle
  watch.start()
  const expecting = expectedAnswer(own.query, own.plugin, one)
  let actual = await actualAnswer(own, open)
  if (own.door === 'db' && actual.kind === 'error' && needsKey.has(actual.code ?? '')) {
    watch.start()
    actual = await actualAnswer(own, open, 'fanOut')
  }
  const { asked, withRows, statements } = watch.seen
  const expected = await expecting
  const endless = expected.kind === 'error' && expected.code === '57014'
  if (expected.kind === 'error' && actual.kind === 'rows' && actual.rows.length === 0 && statements === 0) {
    // No key can match, so nobody was asked, and nobody could find the mistake.
    return { kind: 'both failed', state: `${expected.code} (nobody asked)` }
  }
  const outcome: Outcome = endless
    ? { kind: 'both failed', state: '57014 (too long to be compared)' }
    : await judge(own, expected, actual, one, open)
  if (own.kind === 'write' && outcome.kind !== 'failed') {
    // What was refused must have changed nothing.
    if (outcome.kind === 'refused') await open.resetOne()
    const wrong = (await tablesDiffer(open)) ?? (await filledWrongly(open))
    await open.reset()
    if (wrong) return { kind: 'failed', why: wrong }
  } else if (own.kind === 'write') {
    await open.reset()
  }
  return outcome.kind === 'equal' ? { ...outcome, merged: asked > 1, spread: withRows > 1 } : outcome
}

async function judge(own: Case, expected: Answer, actual: Answer, one: AnyKysely, open: OpenWorld): Promise<Outcome> {
  if (actual.kind === 'error') {
    if (expected.kind === 'error') return bothFailed(expected, actual)
    const code = actual.code ?? 'no code'
    if (actual.refused && isExpectedRefusal(code, own, open.world.engine, actual.error))
      return { kind: 'refused', code, message: actual.error.message }
    return { kind: 'failed', why: `the router failed: ${actual.error.message} (${actual.code ?? actual.error.name})` }
  }
  if (expected.kind === 'error') {
    return {
      kind: 'failed',
      why: `the router answered, one PostgreSQL failed: ${expected.error.message} (${expected.code})`,
    }
  }
  const tags = tagsOf(own.query)
  const openness = {
    ...opennessOf(own.query, own.open),
    ...(own.kind === 'write' ? { total: returnsInOrder(own.query, tags) } : {}),
  }
  const wrong = difference(expected.rows, actual.rows, openness)
  if (!wrong) return { kind: 'equal', merged: false, spread: false, rows: expected.rows.length }
  if (
    openness.limited &&
    !openness.total &&
    expected.rows.length === actual.rows.length &&
    !wrong.startsWith('not in')
  ) {
    const all = await withoutLimits(own, one, open)
    if (all.kind === 'rows' && isPossible(all.rows, actual.rows, openness)) {
      return { kind: 'equal', merged: false, spread: false, rows: expected.rows.length }
    }
  }
  return { kind: 'failed', why: wrong }
}

/** The same SQLSTATE, or one that PostgreSQL may give as well. */
function bothFailed(expected: Answer & { kind: 'error' }, actual: Answer & { kind: 'error' }): Outcome {
  const state = expected.code ?? expected.error.message
  const reason = expected.code === actual.code ? '' : otherState(expected.code, actual.code, actual.refused)
  if (reason !== undefined) return { kind: 'both failed', state: reason === '' ? state : `${state} (${reason})` }
  return {
    kind: 'failed',
    why: `one PostgreSQL fails with ${expected.error.message} (${expected.code}), the router with ${actual.error.message} (${actual.code})`,
  }
}

/** Rows of VALUES come back in their order, unless some do not come back. */
function returnsInOrder(query: Query, tags: ReadonlySet<string>): boolean {
  return tags.has('values') && !tags.has('on conflict') && render(query).includes('returning')
}

/** All rows of which a limit may take any. What the statement has written is written again as it was. */
async function withoutLimits({ kind, query, plugin }: Case, one: AnyKysely, open: OpenWorld): Promise<Answer> {
  const steps = query.steps.filter(({ tag }) => !['limit', 'offset', 'fetch', 'fetch with ties'].includes(tag))
  const ask = async (asked: Query): Promise<Answer> => {
    if (kind === 'write') await open.resetOne()
    return await expectedAnswer(asked, plugin, one)
  }
  const all = await ask({ ...query, steps })
  if (kind === 'write') await ask(query)
  return all
}

/** Looks at the tables themselves: all rows there, each once, copies alike. */
async function tablesDiffer(open: OpenWorld): Promise<string | undefined> {
  for (const table of tableNames) {
    const { oracle, shards } = await open.contents(table)
    const parts = keyOf[table] || table === 'o' ? [shards.flat().sort()] : shards
    for (const part of parts) {
      const at = Math.max(part.length, oracle.length)
      for (let i = 0; i < at; i++) {
        if (part[i] !== oracle[i]) {
          return `table ${table} differs after the write\n    one PostgreSQL: ${oracle[i]}\n    the shards:     ${part[i]}`
        }
      }
    }
  }
  return undefined
}
