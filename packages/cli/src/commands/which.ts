import { inspectKeys, isCitus, type KeyType, keyTypes, locate, type ShardedTable } from '@shardwright/core'
import { hashTopology } from '../config/engine.ts'
import { CliError } from '../errors/cli-error.ts'
import type { Command, OpenedConfig } from '../run/command.ts'

export interface WhichOptions {
  readonly table: string
  readonly key: string
  readonly type?: string
  readonly showPassword?: boolean
}

/** The bucket and the shard of a key. */
export const which: Command<WhichOptions> = async (context, options) => {
  const opened = await context.open()
  if (isCitus(opened.topology)) return await (await import('./citus/which.ts')).citusWhich(context, options)
  const topology = hashTopology(opened.topology, '')
  const table = shardedTable(opened, options.table)
  const type = await keyType(opened, table, options.type)
  const location = locate(topology, { family: table.family, type, value: options.key })
  const shard = topology.shards[location.shard]!
  const url = options.showPassword ? shard.primary.directUrl : withoutPassword(shard.primary.directUrl)
  const data = {
    table: table.name,
    key: options.key,
    type,
    bucket: location.bucket,
    shard: shard.id,
    pinned: location.pinned,
    url,
  }
  return {
    data,
    render: () =>
      [
        `table   ${table.name} by ${table.key} (${type})`,
        `bucket  ${location.bucket} of ${topology.buckets}`,
        `shard   ${shard.id}${location.pinned ? ' (pinned)' : ''}`,
        `psql    psql ${url}`,
      ].join('\n'),
  }
}

export function shardedTable({ schema }: OpenedConfig, name: string): ShardedTable {
  const sharded = schema.tables.filter((table) => table.kind === 'sharded')
  const found = sharded.find((table) => table.name === name || table.table === name)
  if (found) return found
  throw new CliError({
    code: 'UNKNOWN_TABLE',
    message: `The schema has no sharded table ${JSON.stringify(name)}.`,
    hint: `Its sharded tables are ${sharded.map((table) => table.name).join(', ')}.`,
  })
}

async function keyType(
  { fleet, schema }: OpenedConfig,
  table: ShardedTable,
  given: string | undefined,
): Promise<KeyType> {
  if (given !== undefined) {
    const found = keyTypes.find((type) => type === given)
    if (found) return found
    throw new CliError({
      code: 'USAGE',
      message: `${JSON.stringify(given)} is not a key type.`,
      hint: `Use ${keyTypes.join(', ')}.`,
    })
  }
  await using connection = await fleet.shards[0]!.connect()
  return (await inspectKeys(connection, schema)).byTable.get(table.name)!
}

export function withoutPassword(url: string): string {
  const parsed = new URL(url)
  parsed.password = ''
  return parsed.href
}
