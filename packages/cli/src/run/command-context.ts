import { fleetOf } from '@shardwright/core'
import { loadConfig } from '../config/load-config.ts'
import { useLocalState } from '../config/local-state.ts'
import { resolveTopology } from '../config/resolve-topology.ts'
import { CliError } from '../errors/cli-error.ts'
import type { ProgressBoard } from '../output/progress-board.ts'
import type { Screen } from '../output/screen.ts'
import type { CommandContext, GlobalOptions, OpenedConfig } from './command.ts'

export function commandContext(
  screen: Screen,
  global: GlobalOptions,
  signal: AbortSignal,
  progress: ProgressBoard,
): CommandContext {
  const load = () => loadConfig(global.config)
  return {
    screen,
    progress,
    global,
    signal,
    loadConfig: load,
    open: async () => await openConfig(await load(), global),
    confirm: (question) => confirm(question, screen, global),
  }
}

async function openConfig(
  loaded: Awaited<ReturnType<typeof loadConfig>>,
  global: GlobalOptions,
): Promise<OpenedConfig> {
  if (global.envFile !== undefined) loadEnvFile(global.envFile)
  if (global.local) await useLocalState(loaded.folder)
  const topology = resolveTopology(loaded.config)
  const { Client } = (await import('pg')).default
  return { ...loaded, schema: loaded.config.schema, topology, fleet: fleetOf(topology, Client) }
}

function loadEnvFile(file: string): void {
  try {
    process.loadEnvFile(file)
  } catch (cause) {
    throw new CliError({
      code: 'CONFIG_INVALID',
      message: `The environment file ${file} cannot be read.`,
      hint: 'It holds lines like SHARD_1_URL=postgres://...',
      cause,
    })
  }
}

async function confirm(question: string, screen: Screen, global: GlobalOptions): Promise<void> {
  if (global.yes) return
  if (screen.interactive && !global.json) {
    const prompts = await import('@clack/prompts')
    if ((await prompts.confirm({ message: question, initialValue: false })) === true) return
  }
  throw new CliError({
    code: 'NOT_CONFIRMED',
    message: `Not done, because it was not confirmed: ${question}`,
    hint: 'Pass --yes where nobody can be asked.',
  })
}
