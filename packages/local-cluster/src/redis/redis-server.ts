import { basename, join } from 'node:path'
import type { ServerState, StopOptions } from '../cluster/local-cluster.ts'
import { ManagedProcess } from '../process/managed-process.ts'
import type { FoundProgram } from '../programs/machine-programs.ts'
import { flushRedis } from './flush-redis.ts'
import type { OwnedRedis } from './local-redis.ts'
import { redisCommand } from './redis-command.ts'

export interface RedisServerInit {
  readonly program: FoundProgram
  readonly folder: string
  readonly port: number
  readonly startTimeoutMs: number
}

/** A redis-server or valkey-server of ours; its data outlives `stop` and `restart`, as an append-only file. */
export class RedisServer implements OwnedRedis {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly url: string
  readonly program: string
  readonly #process: ManagedProcess

  constructor({ program, folder, port, startTimeoutMs }: RedisServerInit) {
    this.port = port
    this.url = `redis://${this.host}:${port}`
    this.program = basename(program.path)
    this.#process = new ManagedProcess({
      name: this.program,
      program: program.path,
      parameters: () => redisParameters(folder, port),
      user: {},
      folder,
      logFile: join(folder, 'redis.log'),
      environment: program.environment,
      isReady: () => this.#answers(),
      startTimeoutMs,
      stopSignal: { fast: 'SIGTERM', immediate: 'SIGKILL' },
    })
  }

  get state(): ServerState {
    return this.#process.state
  }

  flush(): Promise<void> {
    return flushRedis(this.host, this.port)
  }

  start(): Promise<void> {
    return this.#process.start()
  }

  stop(options?: StopOptions): Promise<void> {
    return this.#process.stop(options)
  }

  kill(): Promise<void> {
    return this.#process.kill()
  }

  pause(): Promise<void> {
    return this.#process.pause()
  }

  resume(): Promise<void> {
    return this.#process.resume()
  }

  restart(options?: StopOptions): Promise<void> {
    return this.#process.restart(options)
  }

  destroy(): Promise<void> {
    return this.#process.destroy()
  }

  async #answers(): Promise<boolean> {
    // Refused, or LOADING while it reads its file: not yet. The caller knows when to give up.
    return (await redisCommand(this.host, this.port, 'PING').catch(() => '')) === '+PONG'
  }
}

function redisParameters(folder: string, port: number): string[] {
  return Object.entries({
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'no',
    daemonize: 'no',
    'notify-keyspace-events': '',
  }).flatMap(([name, value]) => [`--${name}`, value])
}
