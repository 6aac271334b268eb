import type { CitusTopology, FleetConnection } from '@shardwright/core'
import { citusTopology } from '../config/engine.ts'
import { CliError } from '../errors/cli-error.ts'
import type { CommandContext, OpenedConfig } from '../run/command.ts'

/** A command's hold on a cluster: its coordinator, on a connection of its own. */
export interface Coordinator {
  readonly opened: OpenedConfig
  readonly topology: CitusTopology
  readonly connection: FleetConnection
}

/**
 * Runs `work` on the coordinator; what Citus refuses comes back in its own words.
 *
 * @throws CliError WRONG_ENGINE, CITUS_REFUSED; ConnectionError SHARD_UNREACHABLE
 */
export async function onCoordinator<T>(context: CommandContext, work: (at: Coordinator) => Promise<T>): Promise<T> {
  const opened = await context.open()
  const topology = citusTopology(opened.topology)
  await using connection = await opened.fleet.shards[0]!.connect({ applicationName: 'shardwright-citus' })
  try {
    return await work({ opened, topology, connection })
  } catch (error) {
    throw refusal(error)
  }
}

interface ServerError extends Error {
  readonly code: string
  readonly detail?: string
  readonly hint?: string
}

function refusal(error: unknown): unknown {
  if (!isServerError(error)) return error
  return new CliError({
    code: 'CITUS_REFUSED',
    message: `Citus says ${error.code}: ${error.message}${error.detail ? ` (${error.detail})` : ''}`,
    hint: error.hint ?? 'Mend what it names, then run the command again.',
    details: { sqlState: error.code },
    cause: error,
  })
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string'
}
