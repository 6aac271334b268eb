import { citusNodeServer } from '@shardwright/core'
import { onCoordinator } from '../../citus/coordinator.ts'
import { locateKey } from '../../citus/locate-key.ts'
import { CliError } from '../../errors/cli-error.ts'
import type { Command } from '../../run/command.ts'
import { shardedTable, type WhichOptions, withoutPassword } from '../which.ts'

/** `which` on a Citus cluster: the shard of a key, and its node. */
export const citusWhich: Command<WhichOptions> = (context, options) =>
  onCoordinator(context, async ({ opened, topology, connection }) => {
    if (options.type !== undefined) {
      throw new CliError({
        code: 'USAGE',
        message: '--type is for hash shards: on Citus the coordinator is asked.',
        hint: 'Leave it out.',
      })
    }
    const table = shardedTable(opened, options.table)
    const place = await locateKey(connection, table, options.key)
    const server = citusNodeServer(topology, { ...place, role: 'primary' })
    const url = options.showPassword ? server.directUrl : withoutPassword(server.directUrl)
    const node = `${place.host}:${place.port}`
    const { type, shardId, shardName, minHash, maxHash } = place
    return {
      data: { table: table.name, key: options.key, type, shardId, shardName, minHash, maxHash, node, url },
      render: () =>
        [
          `table   ${table.name} by ${table.key} (${type})`,
          `shard   ${shardId}, ${shardName}, hashes ${minHash} to ${maxHash}`,
          `node    ${node}`,
          `psql    psql ${url}`,
        ].join('\n'),
    }
  })
