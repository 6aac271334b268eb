import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { ServerState, StopOptions } from '../cluster/local-cluster.ts'
import { onFreePort } from '../net/on-free-port.ts'
import { ManagedProcess } from '../process/managed-process.ts'
import { writeOwnedFile } from '../process/owned-file.ts'
import { unprivilegedUser } from '../process/unprivileged-user.ts'
import { createWorkFolder, removeWorkFolder } from '../process/work-folder.ts'
import type { FoundProgram } from '../programs/machine-programs.ts'
import type { LocalProxy } from './local-proxy.ts'

export interface ProxyInit {
  readonly name: string
  readonly program: FoundProgram
  /** The URL that the proxy's own is made of. */
  readonly target: URL
  /** Files of its folder, by name. */
  readonly files: (port: number, folder: string) => Readonly<Record<string, string>>
  readonly parameters: (folder: string) => readonly string[]
  readonly stopSignal: Readonly<Record<'fast' | 'immediate', NodeJS.Signals>>
}

const startTimeoutMs = 30_000

/** A proxy program of ours in a folder of its own. */
export class ProxyProcess implements LocalProxy {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly url: string
  readonly #folder: string
  readonly #process: ManagedProcess
  #closed: Promise<void> | undefined

  private constructor(init: ProxyInit, port: number, folder: string) {
    this.port = port
    this.url = proxiedUrl(init.target, this.host, port)
    this.#folder = folder
    this.#process = new ManagedProcess({
      name: init.name,
      program: init.program.path,
      parameters: () => init.parameters(folder),
      user: {},
      folder,
      logFile: join(folder, 'log'),
      environment: init.program.environment,
      isReady: () => accepts(this.host, port),
      startTimeoutMs,
      stopSignal: init.stopSignal,
    })
  }

  static async start(init: ProxyInit): Promise<ProxyProcess> {
    const user = unprivilegedUser()
    const folder = await createWorkFolder(user)
    try {
      return await onFreePort(async (port) => {
        for (const [name, content] of Object.entries(init.files(port, folder)))
          await writeOwnedFile(join(folder, name), content, user)
        const proxy = new ProxyProcess(init, port, folder)
        await proxy.start()
        return proxy
      })
    } catch (error) {
      await removeWorkFolder(folder)
      throw error
    }
  }

  get state(): ServerState {
    return this.#process.state
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

  logTail(lines?: number): Promise<string> {
    return this.#process.logTail(lines)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#process.destroy()
    await removeWorkFolder(this.#folder)
  }
}

function proxiedUrl(target: URL, host: string, port: number): string {
  const url = new URL(target.href)
  url.hostname = host
  url.port = String(port)
  return url.href
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
