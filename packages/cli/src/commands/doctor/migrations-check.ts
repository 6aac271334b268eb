import type { FleetStatus } from '@shardwright/migrator'
import { migratorOf } from '../migrate.ts'
import { type Check, notMade, type Symptom } from './check.ts'

type Status = FleetStatus['migrations'][number]
type Cell = Status['shards'][number]

/** Migrations that are left, failed, cut short or changed, and those whose file is gone. */
export const migrationsCheck: Check = {
  name: 'migrations',
  run: async (patient) => {
    const { migrations, shards } = await migratorOf(patient).status()
    const unseen = shards.flatMap(({ shard, error }) => (error ? [notMade('migrations', error, shard)] : []))
    return [...unseen, ...migrations.flatMap(symptomsOf)]
  },
}

function symptomsOf({ name, known, shards }: Status): readonly Symptom[] {
  const touched = shards.filter(({ state }) => state !== 'pending' && state !== 'unknown')
  if (!known) return touched.length === 0 ? [] : [symptom(name, 'applied, and its file is not here', touched, fileGone)]
  const seen = shards.filter(({ state }) => state !== 'unknown')
  const states = new Set(seen.filter((cell) => wordFor(cell) !== 'applied').map(wordFor))
  return [...states].map((word) => {
    const cells = seen.filter((cell) => wordFor(cell) === word)
    return symptom(name, word, cells, remedyFor(word))
  })
}

function wordFor({ state, changed, row }: Cell): string {
  if (changed) return 'changed since it was applied'
  return state === 'failed' && row?.error ? `failed (${row.error})` : state
}

function symptom(migration: string, word: string, cells: readonly Cell[], remedy: string): Symptom {
  const on = cells.map((cell) => cell.shard).join(', ')
  return { check: 'migrations', severity: 'error', message: `${migration} is ${word} on ${on}`, remedy }
}

const fileGone = 'Bring the file back from version control, or deploy from a newer checkout.'

function remedyFor(word: string): string {
  if (word.startsWith('changed')) {
    return 'Undo the edit and write a new migration; shardwright migrate up --accept-changed when only a comment changed.'
  }
  return word.startsWith('failed') ? 'Correct the cause, then shardwright migrate up.' : 'shardwright migrate up'
}
