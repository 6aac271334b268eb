import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WorkName } from './work.ts'

const killed = fileURLToPath(new URL('killed.ts', import.meta.url))

export interface KilledRun {
  readonly name: WorkName
  readonly url: string
  readonly directory: string
  /** The number of the step, from 1. */
  readonly killAt: number
  readonly moment: 'before' | 'during'
}

/** Processes that are killed at a step. A process that is killed writes no compile cache, so the first one fills it. */
export class KilledRuns implements AsyncDisposable {
  readonly #compileCache: string

  private constructor(compileCache: string) {
    this.#compileCache = compileCache
  }

  static async start(): Promise<KilledRuns> {
    const runs = new KilledRuns(await mkdtemp(join(tmpdir(), 'shardwright-compiled-')))
    const work = new URL('work.ts', import.meta.url).href
    await runs.#run(['--input-type=module', '--eval', `await import('${work}')`])
    return runs
  }

  /** Its exit code: `null` when it was killed, 7 when it has fewer steps. */
  async run({ name, url, directory, killAt, moment }: KilledRun): Promise<number | null> {
    return await this.#run([killed, name, url, directory, String(killAt), moment])
  }

  async #run(args: readonly string[]): Promise<number | null> {
    const child = spawn(process.execPath, ['--conditions=shardwright-source', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: this.#compileCache },
    })
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => resolve(code))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#compileCache, { recursive: true })
  }
}
