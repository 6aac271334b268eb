import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from '../../run/command.ts'
import { readColumns } from './read-columns.ts'
import { renderDatabase } from './render-database.ts'

/** Writes the `Database` interface from the first shard, shard keys marked. */
export const codegen: Command<{ readonly out?: string }> = async (context, { out }) => {
  const { fleet, schema } = await context.open()
  await using connection = await fleet.shards[0]!.connect({ applicationName: 'shardwright-codegen' })
  const source = renderDatabase(await readColumns(connection), schema)
  if (out !== undefined) await writeFile(path.resolve(out), source)
  return { data: { file: out, source }, render: () => (out === undefined ? source.trimEnd() : out) }
}
