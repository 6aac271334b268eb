import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CreateDatabaseOptions, LocalServer, ServerState, StopOptions } from '../cluster/local-cluster.ts'
import { ManagedProcess } from '../process/managed-process.ts'
import type { ProcessUser } from '../process/unprivileged-user.ts'
import type { PostgresBinaries } from './binaries.ts'
import { createDatabase } from './create-database.ts'
import { promote } from './promote.ts'

export interface PostgresServerInit {
  readonly id: string
  readonly dataDirectory: string
  readonly port: number
  readonly role: string
  readonly password: string
  readonly binaries: PostgresBinaries
  readonly user: ProcessUser
  readonly startTimeoutMs: number
}

/** A PostgreSQL server of ours over a data directory. */
export class PostgresServer implements LocalServer {
  readonly id: string
  readonly host = '127.0.0.1'
  readonly port: number
  readonly dataDirectory: string
  readonly #init: PostgresServerInit
  readonly #process: ManagedProcess

  constructor(init: PostgresServerInit) {
    this.id = init.id
    this.port = init.port
    this.dataDirectory = init.dataDirectory
    this.#init = init
    this.#process = new ManagedProcess({
      name: `PostgreSQL ${init.id}`,
      program: init.binaries.postgres,
      parameters: () => ['-D', init.dataDirectory, '-p', String(init.port), '-c', `cluster_name=${init.id}`],
      user: init.user,
      folder: dirname(init.dataDirectory),
      logFile: `${init.dataDirectory}.log`,
      environment: { TZ: 'UTC' },
      isReady: (pid) => isReady(init.dataDirectory, pid),
      startTimeoutMs: init.startTimeoutMs,
      stopSignal: { fast: 'SIGINT', immediate: 'SIGQUIT' },
      dataDirectory: init.dataDirectory,
    })
  }

  get state(): ServerState {
    return this.#process.state
  }

  urlOf(database: string): string {
    const { role, password } = this.#init
    return `postgres://${role}:${password}@${this.host}:${this.port}/${database}`
  }

  async createDatabase(name: string, options?: CreateDatabaseOptions): Promise<string> {
    await createDatabase(this.urlOf('postgres'), name, options)
    return this.urlOf(name)
  }

  promote(): Promise<void> {
    return promote(this.urlOf('postgres'), this.id)
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

  logTail(lines?: number): Promise<string> {
    return this.#process.logTail(lines)
  }
}

/** postmaster.pid says in its 8th line how far the server has come, as pg_ctl reads it. */
async function isReady(dataDirectory: string, pid: number): Promise<boolean> {
  try {
    const lines = (await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8')).split('\n')
    return lines[0]?.trim() === String(pid) && lines[7]?.trim() === 'ready'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false // not written yet
    throw error
  }
}
