import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerControl, ServerState, StopOptions } from '../cluster/local-cluster.ts'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import type { ContainerHandle } from './container-engine.ts'
import { readLogFrames } from './log-frames.ts'

export interface ContainerControlInit {
  /** For messages. */
  readonly name: string
  readonly container: ContainerHandle
  readonly isReady: () => Promise<boolean>
  readonly startTimeoutMs: number
  readonly stopSignal: Readonly<Record<'fast' | 'immediate', NodeJS.Signals>>
}

const readyPollMs = 50

/** Disturbs a server that runs in a container. */
export class ContainerControl implements ServerControl {
  readonly #init: ContainerControlInit
  #state: ServerState = 'running'

  constructor(init: ContainerControlInit) {
    this.#init = init
  }

  get state(): ServerState {
    return this.#state
  }

  async start(): Promise<void> {
    if (this.#state !== 'stopped') throw this.#wrongState('start')
    await this.#init.container.start()
    this.#state = 'running'
    await this.untilReady()
  }

  /** Waits until the server in the started container answers. */
  async untilReady(): Promise<void> {
    const { name, startTimeoutMs } = this.#init
    const deadline = performance.now() + startTimeoutMs
    while (!(await this.#init.isReady())) {
      if (performance.now() > deadline) {
        const log = await this.logTail()
        throw new LocalClusterError('SERVER_START_FAILED', `${name} was not ready in time`, { details: { log } })
      }
      await sleep(readyPollMs)
    }
  }

  async stop({ mode = 'fast', timeoutMs = 30_000 }: StopOptions = {}): Promise<void> {
    if (this.#state === 'stopped') return
    if (this.#state === 'paused') await this.resume()
    // Not the engine's own stop: when its time is up it kills, and says nothing.
    if (!(await this.#end(this.#init.stopSignal[mode], timeoutMs))) {
      throw new LocalClusterError('SERVER_STOP_TIMEOUT', `${this.#init.name} did not stop within ${timeoutMs} ms`)
    }
  }

  async kill(): Promise<void> {
    if (this.#state === 'stopped') return
    if (this.#state === 'paused') await this.resume() // engines refuse to signal a paused container
    await this.#end('SIGKILL')
  }

  async pause(): Promise<void> {
    if (this.#state === 'stopped') throw this.#wrongState('pause')
    if (this.#state === 'running') await this.#init.container.pause()
    this.#state = 'paused'
  }

  async resume(): Promise<void> {
    if (this.#state === 'stopped') throw this.#wrongState('resume')
    if (this.#state === 'paused') await this.#init.container.unpause()
    this.#state = 'running'
  }

  async restart(options?: StopOptions): Promise<void> {
    await this.stop(options)
    await this.start()
  }

  async destroy(): Promise<void> {
    await this.#init.container.remove({ force: true, v: true })
    this.#state = 'stopped'
  }

  async logTail(lines = 40): Promise<string> {
    const log = await this.#init.container.logs({ stdout: true, stderr: true, tail: lines, follow: false })
    return readLogFrames(log)
  }

  /** False when the container still ran after `timeoutMs`. */
  async #end(signal: NodeJS.Signals, timeoutMs?: number): Promise<boolean> {
    const { container } = this.#init
    const ended = container.wait().then(() => true)
    await container.kill({ signal })
    const timer = new AbortController()
    const timedOut =
      timeoutMs === undefined ? [] : [sleep(timeoutMs, false, { signal: timer.signal }).catch(() => false)]
    const outcome = await Promise.race([ended, ...timedOut])
    timer.abort()
    if (outcome) this.#state = 'stopped'
    return outcome
  }

  #wrongState(action: string): LocalClusterError {
    return new LocalClusterError('SERVER_STATE', `cannot ${action} ${this.#init.name}: it is ${this.#state}`)
  }
}
