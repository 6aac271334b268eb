import type { FleetConnection } from '@shardwright/core'
import { inTransaction } from '../sql/in-transaction.ts'
import { applySql, quietSql } from './follow-sql.ts'
import { sourceValues, stepTypes } from './source-values.ts'
import type { Step } from './step.ts'

const keysAtOnce = 1000

interface Note {
  readonly id: string
  readonly key: string
}

/**
 * Reads the notes, then the values, then writes, and only then removes the notes that it read. A change that commits
 * after the values were read has a note of its own, which stays; a cut anywhere leaves notes that are done again.
 */
export async function propagateNotes(
  connections: readonly FleetConnection[],
  step: Step,
): Promise<{ readonly keys: number; readonly rows: number }> {
  const types = await stepTypes(connections[0] as FleetConnection, step)
  const notes: Note[][] = []
  for (const connection of connections) {
    const sql = 'select id, key from shardwright.step_changes where step = $1 and key is not null'
    notes.push((await connection.query<Note>(sql, [step.name])).rows)
  }
  const keys = [...new Set(notes.flat().map(({ key }) => key))]
  let rows = 0
  for (let at = 0; at < keys.length; at += keysAtOnce) {
    const some = keys.slice(at, at + keysAtOnce)
    const values = await sourceValues(connections, step, types, some)
    const wanted = some.map((key) => values.get(key) ?? null)
    for (const connection of connections) {
      rows += await inTransaction(connection, async () => {
        await connection.script(quietSql)
        return (await connection.query(applySql(step, types.key, types.value), [some, wanted])).rowCount ?? 0
      })
    }
  }
  for (const [at, connection] of connections.entries()) {
    const ids = notes[at]?.map(({ id }) => id)
    await connection.query('delete from shardwright.step_changes where id = any($1::int8[])', [ids])
  }
  return { keys: keys.length, rows }
}
