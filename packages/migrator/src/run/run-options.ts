import { z } from 'zod'
import { checkedOptions } from './checked-options.ts'
import { invalidOptions } from './migrator-options.ts'
import type { RunEvent } from './run-event.ts'
import type { Wave } from './waves.ts'

/** How one run goes over the fleet. */
export interface RunOptions {
  /** Only these shards. Default: all. */
  readonly shards?: readonly string[] | undefined
  /** Each migration goes over its shards in these waves, e.g. `[1, '25%', 'all']`. Default: `['all']`. */
  readonly waves?: readonly Wave[] | undefined
  /** Asked between two waves; `false` ends the run there. */
  readonly betweenWaves?: ((event: { migration: string; done: number; left: number }) => Promise<boolean>) | undefined
  /** How many shards are worked on at once. Default 4. */
  readonly concurrency?: number | undefined
  /** After a failure: start nothing more, or finish the same migration on the other shards. Default `stop`. */
  readonly onFailure?: 'stop' | 'continue' | undefined
  /** Lets shards go on to n+1 while n is incomplete elsewhere. Default false. */
  readonly allowAhead?: boolean | undefined
  /** Lets a migration run that sorts before one that has run. Default false. */
  readonly allowUnordered?: boolean | undefined
  /** Records the present checksum of files that were edited after they had been applied. Default false. */
  readonly acceptChanged?: boolean | undefined
  /** What the linter's errors do to an `up`. Default `refuse`. */
  readonly lint?: 'refuse' | 'off' | undefined
  /** Aborted: nothing more is started, what is under way ends. */
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

export interface ResolvedRunOptions {
  readonly shards: readonly string[] | undefined
  readonly waves: readonly Wave[]
  readonly betweenWaves: NonNullable<RunOptions['betweenWaves']>
  readonly concurrency: number
  readonly onFailure: 'stop' | 'continue'
  readonly allowAhead: boolean
  readonly allowUnordered: boolean
  readonly acceptChanged: boolean
  readonly lint: 'refuse' | 'off'
  readonly signal: AbortSignal | undefined
  readonly onEvent: (event: RunEvent) => void
}

const shape = z.object({
  concurrency: z.int().min(1).max(256),
  onFailure: z.enum(['stop', 'continue']),
  lint: z.enum(['refuse', 'off']),
  waves: z.array(z.union([z.int().min(1), z.string().regex(/^([1-9]\d?|100)%$|^all$/)])),
  shards: z.array(z.string()).min(1).optional(),
})

export function resolveRunOptions(options: RunOptions): ResolvedRunOptions {
  const resolved: ResolvedRunOptions = {
    shards: options.shards,
    waves: options.waves ?? ['all'],
    betweenWaves: options.betweenWaves ?? (async () => true),
    concurrency: options.concurrency ?? 4,
    onFailure: options.onFailure ?? 'stop',
    allowAhead: options.allowAhead ?? false,
    allowUnordered: options.allowUnordered ?? false,
    acceptChanged: options.acceptChanged ?? false,
    lint: options.lint ?? 'refuse',
    signal: options.signal,
    onEvent: options.onEvent ?? (() => {}),
  }
  return checkedOptions(resolved, shape, invalidOptions)
}
