import type { Clock, Telemetry } from '@shardwright/core'
import type { Client } from 'pg'
import type { BudgetShare } from './budget-share.ts'
import type { CommitMode } from './commit-mode.ts'
import type { NameGeneration } from './name-generation.ts'
import type { Backends } from './pooler-check.ts'
import type { TypeParsers } from './row-reader.ts'
import type { ServerAddress } from './server-address.ts'
import type { SessionSettings } from './session-settings.ts'

/** What every lane of one server shares. */
export interface ServerContext {
  readonly shard: string
  readonly role: 'primary' | 'replica'
  readonly address: ServerAddress
  readonly session: SessionSettings
  readonly types: TypeParsers
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** Whether spans have the parameters of statements. */
  readonly tellParameters: boolean
  readonly connectTimeoutMs: number
  readonly closeTimeoutMs: number
  readonly applicationName: string
  /** Of this server. */
  readonly backends: Backends
  /** Shared by all servers of the shard: DDL on its primary changes them all. */
  readonly names: NameGeneration
  /** Shared by all servers of the shard. */
  readonly commits: CommitMode
  /** Looks at a new session before anything of a caller runs on it; refuses by an error. */
  readonly admit?: ((client: Client) => Promise<void>) | undefined
  /** Of what all servers of the pool may have together; absent when that has no limit. */
  readonly budget?: BudgetShare | undefined
  /**
   * Throws when this process may not send anything now, or may not believe the answer of what it `sent`; asked right before
   * each statement, however long it waited.
   */
  readonly checkCurrent?: ((sent?: boolean) => void) | undefined
}
