import type { DatabaseContents } from '../check/table-contents.ts'
import { tableNames } from '../schema/database.ts'
import { schema } from '../schema/schema.ts'
import { barsOf } from '../show/bars.ts'
import type { Screen } from '../show/screen.ts'
import { tableOf } from '../show/table.ts'

/** The rows per shard, as a picture and as a table. */
export function showShards(screen: Screen, contents: ReadonlyMap<string, DatabaseContents>): void {
  screen.heading('Rows per shard (sharded tables)')
  const sharded = tableNames.filter((table) => schema.find(table)?.kind === 'sharded')
  const rowsOf = (shard: DatabaseContents) => sharded.reduce((sum, table) => sum + Number(shard.get(table)?.rows), 0)
  for (const line of barsOf([...contents].map(([id, shard]) => [id, rowsOf(shard)]))) screen.line(`  ${line}`)
  const rows = [...contents].map(([id, shard]) => ({
    shard: id,
    ...Object.fromEntries(tableNames.map((table) => [table, shard.get(table)?.rows])),
  }))
  screen.line('')
  for (const line of tableOf(rows)) screen.line(`  ${line}`)
}
