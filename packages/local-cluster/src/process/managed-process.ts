import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerState, StopOptions } from '../cluster/local-cluster.ts'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { killTree, pauseTree, resumeTree, sendSignal } from './process-tree.ts'
import { removeSharedMemory } from './shared-memory.ts'
import type { ProcessUser } from './unprivileged-user.ts'
import { unwatchProcess, watchProcess } from './watchdog-client.ts'

export interface ManagedProcessInit {
  /** For messages. */
  readonly name: string
  readonly program: string
  readonly parameters: () => readonly string[]
  readonly user: ProcessUser
  /** The working directory. */
  readonly folder: string
  readonly logFile: string
  readonly environment?: NodeJS.ProcessEnv
  /** True as soon as the server answers. Asked again and again while the process lives. */
  readonly isReady: (pid: number) => Promise<boolean>
  readonly startTimeoutMs: number
  readonly stopSignal: Readonly<Record<'fast' | 'immediate', NodeJS.Signals>>
  /** Set for PostgreSQL. */
  readonly dataDirectory?: string
}

const readyPollMs = 10

/** A server process of ours: started, disturbed and ended by signals, its output in a file, known to the watchdog. */
export class ManagedProcess {
  readonly #init: ManagedProcessInit
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #paused = false

  constructor(init: ManagedProcessInit) {
    this.#init = init
  }

  get state(): ServerState {
    if (this.#child === undefined) return 'stopped'
    return this.#paused ? 'paused' : 'running'
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) throw this.#wrongState('start')
    const child = this.#spawn()
    const deadline = performance.now() + this.#init.startTimeoutMs
    try {
      while (!(await this.#init.isReady(child.pid ?? 0))) {
        if (this.#child !== child) throw await this.#startFailed('ended while it started')
        if (performance.now() > deadline) throw await this.#startFailed('was not ready in time')
        await sleep(readyPollMs)
      }
      // Another server may have answered on the port that ours could not have.
      if (this.#child !== child) throw await this.#startFailed('ended while it started')
    } catch (error) {
      await this.destroy()
      throw error
    }
  }

  async stop({ mode = 'fast', timeoutMs = 30_000 }: StopOptions = {}): Promise<void> {
    const pid = this.#child?.pid
    if (pid === undefined) return
    if (this.#paused) this.#resume(pid)
    sendSignal(pid, this.#init.stopSignal[mode])
    const timer = new AbortController()
    const timedOut = sleep(timeoutMs, 'timeout', { signal: timer.signal }).catch(() => undefined)
    const outcome = await Promise.race([this.#ended, timedOut])
    timer.abort()
    if (outcome === 'timeout') {
      throw new LocalClusterError('SERVER_STOP_TIMEOUT', `${this.#init.name} did not stop within ${timeoutMs} ms`)
    }
  }

  async kill(): Promise<void> {
    const pid = this.#child?.pid
    if (pid === undefined) return
    this.#child?.ref() // the wait must keep this process alive
    await killTree(pid)
    await this.#ended
  }

  /** Ends the process whatever its state, for good. */
  async destroy(): Promise<void> {
    try {
      await this.stop({ mode: 'immediate', timeoutMs: 10_000 })
    } catch (error) {
      if (!(error instanceof LocalClusterError)) throw error
      await this.kill()
    }
    if (this.#init.dataDirectory !== undefined) removeSharedMemory(this.#init.dataDirectory)
  }

  async pause(): Promise<void> {
    const pid = this.#child?.pid
    if (pid === undefined) throw this.#wrongState('pause')
    pauseTree(pid)
    this.#paused = true
  }

  async resume(): Promise<void> {
    const pid = this.#child?.pid
    if (pid === undefined) throw this.#wrongState('resume')
    this.#resume(pid)
  }

  async restart(options?: StopOptions): Promise<void> {
    await this.stop(options)
    await this.start()
  }

  async logTail(lines = 40): Promise<string> {
    if (!existsSync(this.#init.logFile)) return ''
    return (await readFile(this.#init.logFile, 'utf8')).trimEnd().split('\n').slice(-lines).join('\n')
  }

  #resume(pid: number): void {
    resumeTree(pid)
    this.#paused = false
  }

  #spawn(): ChildProcess {
    const log = openSync(this.#init.logFile, 'a')
    const child = spawn(this.#init.program, this.#init.parameters(), {
      ...this.#init.user,
      cwd: this.#init.folder,
      env: { PATH: process.env.PATH, ...this.#init.environment },
      stdio: ['ignore', log, log],
      // A Ctrl-C in the terminal is for the owner; the servers follow by the watchdog, or are stopped in order.
      detached: true,
    })
    closeSync(log)
    child.unref()
    const { pid } = child
    if (pid !== undefined) watchProcess(pid, this.#init.dataDirectory)
    this.#child = child
    this.#paused = false
    this.#ended = new Promise((resolve) => {
      const ended = () => {
        if (pid !== undefined) unwatchProcess(pid)
        if (this.#child === child) this.#child = undefined
        resolve()
      }
      child.once('exit', ended)
      child.once('error', ended)
    })
    return child
  }

  #wrongState(action: string): LocalClusterError {
    return new LocalClusterError('SERVER_STATE', `cannot ${action} ${this.#init.name}: it is ${this.state}`)
  }

  async #startFailed(what: string): Promise<LocalClusterError> {
    const log = await this.logTail()
    const last = log.split('\n').at(-1)
    return new LocalClusterError('SERVER_START_FAILED', `${this.#init.name} ${what}: ${last}`, { details: { log } })
  }
}
