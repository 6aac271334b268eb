import type { AnyTopology, Fleet, Schema, ShardwrightError } from '@shardwright/core'
import type { LoadedConfig } from '../config/load-config.ts'
import type { ProgressBoard } from '../output/progress-board.ts'
import type { Screen } from '../output/screen.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly config?: string
  readonly json?: boolean
  readonly local?: boolean
  readonly envFile?: string
  readonly yes?: boolean
}

/** What a command works with. */
export interface CommandContext {
  readonly screen: Screen
  /** Silent under --json. */
  readonly progress: ProgressBoard
  readonly global: GlobalOptions
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal
  loadConfig(): Promise<LoadedConfig>
  /** The configuration with its topology and a fleet of its primaries: of Citus' coordinator alone. */
  open(): Promise<OpenedConfig>
  /** Asks, or takes --yes. @throws CliError NOT_CONFIRMED */
  confirm(question: string): Promise<void>
}

export interface OpenedConfig extends LoadedConfig {
  readonly schema: Schema
  readonly topology: AnyTopology
  readonly fleet: Fleet
}

/** What a command found: as data, as a screen, as an exit code. */
export interface CommandResult {
  /** Printed under --json. */
  readonly data: unknown
  /** Printed otherwise. */
  readonly render: (width: number) => string
  /** Told on stderr, with code and hint, when the command did only a part of its work; `data` has them under --json. */
  readonly errors?: readonly ShardwrightError[]
  readonly exitCode?: number
}

/** A command's work; options are checked by the command line. */
export type Command<Options = object> = (context: CommandContext, options: Options) => Promise<CommandResult>
