import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { processIdentity } from './process-identity.ts'
import type { WatchdogMessage } from './watchdog-message.ts'

// One watchdog for the whole process, alive only while something is registered.
let watchdog: ChildProcess | undefined
const registered = new Set<string>()

/** From now on the process is ended when this process is gone. */
export function watchProcess(pid: number, dataDirectory?: string): void {
  const identity = processIdentity(pid)
  if (identity === undefined) return // it has ended already
  tell(`process ${pid}`, {
    op: 'add-process',
    pid,
    identity,
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
  })
}

export function unwatchProcess(pid: number): void {
  untell(`process ${pid}`, { op: 'remove-process', pid })
}

/** From now on the folder is removed when this process is gone. */
export function watchFolder(path: string): void {
  tell(`folder ${path}`, { op: 'add-folder', path })
}

export function unwatchFolder(path: string): void {
  untell(`folder ${path}`, { op: 'remove-folder', path })
}

function tell(key: string, message: WatchdogMessage): void {
  registered.add(key)
  watchdog ??= startWatchdog()
  watchdog.stdin?.write(`${JSON.stringify(message)}\n`)
}

function untell(key: string, message: WatchdogMessage): void {
  if (!registered.delete(key)) return
  watchdog?.stdin?.write(`${JSON.stringify(message)}\n`)
  if (registered.size > 0) return
  watchdog?.stdin?.end()
  watchdog = undefined
}

function startWatchdog(): ChildProcess {
  const source = fileURLToPath(new URL('./watchdog.ts', import.meta.url))
  // The sources run as they are, the build as JavaScript.
  const program = import.meta.url.endsWith('.ts') ? source : source.replace(/ts$/, 'js')
  // `detached`: a Ctrl-C goes to the whole foreground group, and the watchdog must outlive it.
  const child = spawn(process.execPath, [program], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} })
  child.on('error', () => {}) // without a watchdog, stop() still cleans up
  child.stdin.on('error', () => {})
  child.unref()
  // A handle that is not unref'ed would keep the owner alive.
  ;(child.stdin as unknown as { unref(): void }).unref()
  return child
}
