import type { Commit, CommitScope, Telemetry } from '@shardwright/core'

interface Hook {
  readonly afterCommit?: (commit: Commit) => void | Promise<void>
  readonly afterRollback?: () => void | Promise<void>
}

interface Frame {
  readonly savepoint: string | undefined
  readonly hooks: Hook[]
}

/** The hooks of one transaction, nested by savepoint: rolling back to one drops what was registered since. */
export class CommitHooks implements CommitScope {
  readonly #frames: Frame[] = [{ savepoint: undefined, hooks: [] }]
  readonly #telemetry: Telemetry
  #wrote = false

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
  }

  get wrote(): boolean {
    return this.#wrote
  }

  /** True when somebody waits to be told of the commit. */
  get awaited(): boolean {
    return this.#frames.some(({ hooks }) => hooks.some((hook) => hook.afterCommit !== undefined))
  }

  markWritten(): void {
    this.#wrote = true
  }

  afterCommit(hook: (commit: Commit) => void | Promise<void>): void {
    this.#top().hooks.push({ afterCommit: hook })
  }

  afterRollback(hook: () => void | Promise<void>): void {
    this.#top().hooks.push({ afterRollback: hook })
  }

  savepoint(name: string): void {
    this.#frames.push({ savepoint: name, hooks: [] })
  }

  /** The savepoint itself stays; what came after it goes. */
  async rollbackTo(name: string): Promise<void> {
    const at = this.#frames.findLastIndex((frame) => frame.savepoint === name)
    if (at < 0) return
    const dropped = this.#frames.splice(at).flatMap((frame) => frame.hooks)
    this.#frames.push({ savepoint: name, hooks: [] })
    await this.#rolledBack(dropped)
  }

  /** What was registered under a released savepoint belongs to the level around it. */
  release(name: string): void {
    const at = this.#frames.findLastIndex((frame) => frame.savepoint === name)
    if (at < 1) return
    const hooks = this.#frames.splice(at).flatMap((frame) => frame.hooks)
    this.#top().hooks.push(...hooks)
  }

  async committed(commit: Commit): Promise<void> {
    for (const hook of this.#takeAll()) await this.#run('afterCommit', () => hook.afterCommit?.(commit))
  }

  /** Tells of a commit that goes on: the same hooks are told of its end. */
  async pending(commit: Commit): Promise<void> {
    const hooks = this.#frames.flatMap((frame) => frame.hooks)
    for (const hook of hooks) await this.#run('afterCommit', () => hook.afterCommit?.(commit))
  }

  async rolledBack(): Promise<void> {
    await this.#rolledBack(this.#takeAll())
  }

  async #rolledBack(hooks: readonly Hook[]): Promise<void> {
    for (const hook of hooks) await this.#run('afterRollback', () => hook.afterRollback?.())
  }

  /** The transaction is over whatever a hook does: its failure is reported, not thrown. */
  async #run(name: string, call: () => void | Promise<void>): Promise<void> {
    try {
      await call()
    } catch (error) {
      this.#telemetry.count('shardwright.router.hook_failures', 1, { hook: name })
      this.#telemetry.log('error', `An ${name} hook failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #takeAll(): Hook[] {
    return this.#frames
      .splice(0, this.#frames.length, { savepoint: undefined, hooks: [] })
      .flatMap((frame) => frame.hooks)
  }

  #top(): Frame {
    return this.#frames[this.#frames.length - 1] as Frame
  }
}
